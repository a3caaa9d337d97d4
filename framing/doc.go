// Package framing cuts a byte stream into frames.
package framing
