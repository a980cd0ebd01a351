package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/patchbay-dev/patchbay/internal/fault"
)

const (
	headerTimeout  = 10 * time.Second  // for the head of a request: slower than that is an attack or a dead line
	idleTimeout    = 120 * time.Second // longer than the usual load balancer's, so that it is not us who closes first
	maxHeaderBytes = 64 << 10
)

// listen opens an address that the settings name.
func listen(ctx context.Context, address, setting string) (net.Listener, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fault.New(fault.Unavailable, fault.SlugUnavailable, "Cannot listen on %s: %v.", address, rootOf(err)).
			WithFix("%s, or choose another address with %s.", listenFix(err), setting).Because(err)
	}
	return listener, nil
}

// listenFix is what to do about an address that cannot be listened on.
func listenFix(err error) string {
	var unknown *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "Use an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them"
	case errors.As(err, &unknown):
		return "Correct the name of the host"
	case errors.Is(err, fs.ErrPermission):
		return "Use a port from 1024, or let the system give this program the lower ones"
	default:
		return "Stop what uses the port"
	}
}

func rootOf(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// newServer makes the HTTP server. There is no limit on the whole of a request or an answer, which would cut MCP streams: the
// REST edge times bodies and bounds its own routes. Requests end with base.
func newServer(base context.Context, handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// reachableURL gives the URL by which a person on this machine can reach a listener.
func reachableURL(address net.Addr) string {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return "http://" + address.String()
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(tcp.Port))
}
