// Package systemd is what a service and its service manager say to each other:
// which sockets the service gets, and how it is.
//
//	files, err := systemd.Sockets()           // or those that the program makes itself
//	…Command{Files: map[string]syscall.Conn{"listener": files[0]}}
//	err = systemd.Notify(systemd.Ready)       // once the workers serve
//	err = systemd.Notify(systemd.Reloading()) // a reload begins …
//	err = systemd.Notify(systemd.Ready)       // … and has ended
//	err = systemd.Notify(systemd.Stopping)
//
// It is the protocol of sd_listen_fds(3), sd_notify(3) and sd_watchdog_enabled(3), in
// environment variables and datagrams, which others than systemd speak, too. Where
// there is no such manager, everything is nil and no error.
//
// When not to use it: to activate services, or to ask systemd something, there are
// its own programs and D-Bus.
//
// Nothing here waits, starts a goroutine or logs. Sockets changes the
// environment of the process and is called once, early; the rest may be called by
// any number of goroutines.
package systemd
