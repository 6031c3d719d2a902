package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// A connection is the address of the mesh and the identity of the caller.
type connection struct {
	address     string
	ca          string
	token       string
	certificate string
	key         string
}

func (c *connection) register(flags *flag.FlagSet) {
	flags.StringVar(&c.address, "address", "127.0.0.1:8080", "`host:port` of the mesh")
	flags.StringVar(&c.ca, "ca", "", "`file` (PEM) of the CA that the server's certificate is from; cleartext without it")
	flags.StringVar(&c.token, "token-file", "", "`file` with a user's token; needs -ca")
	flags.StringVar(&c.certificate, "cert", "", "`file` (PEM) of a device's or gateway's certificate; needs -ca and -key")
	flags.StringVar(&c.key, "key", "", "`file` (PEM) of that certificate's private key")
}

// dial makes the connection; it is opened by the first call.
func (c *connection) dial() (*grpc.ClientConn, error) {
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		// A watch may be silent for long: pings find out that the connection is dead.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 20 * time.Second}),
	}
	if c.token != "" {
		options = append(options, grpc.WithPerRPCCredentials(tokenFile(c.token)))
	}
	return grpc.NewClient(c.address, options...)
}

func (c *connection) transport() (credentials.TransportCredentials, error) {
	if c.ca == "" {
		if c.token != "" || c.certificate != "" || c.key != "" {
			return nil, usageError("-token-file, -cert and -key need -ca: in cleartext no caller can be identified")
		}
		return insecure.NewCredentials(), nil
	}
	if (c.certificate == "") != (c.key == "") {
		return nil, usageError("-cert and -key go together")
	}
	pem, err := os.ReadFile(c.ca)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate in PEM", c.ca)
	}
	if c.certificate != "" {
		pair, err := tls.LoadX509KeyPair(c.certificate, c.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(config), nil
}

// A tokenFile puts its token on each call. It is read each time, so that a new token needs no restart.
type tokenFile string

func (f tokenFile) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := os.ReadFile(string(f))
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": "Bearer " + strings.TrimSpace(string(token))}, nil
}

func (tokenFile) RequireTransportSecurity() bool { return true }
