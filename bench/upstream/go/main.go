// The fast upstream of the bench: plays the host agent behind every contender. It speaks just enough HTTP/1.1 by hand that
// the proxy, and not the upstream, is the bottleneck. Routes, all below /proxy/{id}/{port}:
//
//	GET /          100 bytes           GET /headers   the same with 30 response headers
//	POST /echo     length of the body  GET /1m        1 MiB
//	GET /stream?n=  n bytes            GET /sse?n=    one event every n ms, carrying the wall clock in µs
//	GET /ws        WebSocket echo
package main

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"strings"
	"time"
)

const websocketGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

var (
	smallBody = []byte(strings.Repeat("sandbox ", 12) + "end\n")
	mebibyte  = bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	small     = response("text/plain", "", smallBody)
	headers   = response("text/plain", manyHeaders(), smallBody)
	mebi      = response("application/octet-stream", "", mebibyte)
	missing   = []byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
)

func response(kind, extra string, body []byte) []byte {
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n", kind, extra, len(body))
	return append([]byte(head), body...)
}

func manyHeaders() string {
	var lines strings.Builder
	for i := 0; i < 28; i++ {
		fmt.Fprintf(&lines, "X-App-Header-%02d: value-of-app-header-%02d\r\n", i, i)
	}
	return lines.String()
}

type request struct {
	path, query string
	key         string
	length      int64
	chunked     bool
	expect      bool
	head        [4096]byte
}

// Reads one head; the body is still in the reader.
func (r *request) read(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	n := copy(r.head[:], line)
	parts := bytes.SplitN(r.head[:n], []byte(" "), 3)
	if len(parts) < 3 {
		return io.ErrUnexpectedEOF
	}
	r.path, r.query, _ = strings.Cut(string(parts[1]), "?n=")
	r.key, r.length, r.chunked, r.expect = "", 0, false, false
	for {
		line, err = in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			return nil
		}
		switch line[0] | 0x20 {
		case 'c', 't', 's', 'e':
			r.field(line)
		}
	}
}

func (r *request) field(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(name, []byte("content-length")):
		r.length, _ = strconv.ParseInt(string(value), 10, 64)
	case bytes.EqualFold(name, []byte("transfer-encoding")):
		r.chunked = true
	case bytes.EqualFold(name, []byte("sec-websocket-key")):
		r.key = string(value)
	case bytes.EqualFold(name, []byte("expect")):
		r.expect = true
	}
}

// Reads the body to its end and returns its length.
func (r *request) drain(in *bufio.Reader) (int64, error) {
	if !r.chunked {
		return io.CopyN(io.Discard, in, r.length)
	}
	total := int64(0)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return total, err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 64)
		if err != nil {
			return total, err
		}
		if _, err = io.CopyN(io.Discard, in, size+2); err != nil || size == 0 {
			return total, err
		}
		total += size
	}
}

// The path behind /proxy/{id}/{port}, or "" where the request was not rewritten to the agent's form.
func inner(path string) string {
	rest, ok := strings.CutPrefix(path, "/proxy/cl-")
	if !ok {
		return ""
	}
	for slashes, i := 0, 0; i < len(rest); i++ {
		if rest[i] == '/' {
			if slashes++; slashes == 2 {
				return rest[i:]
			}
		}
	}
	return ""
}

func serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 4096)
	var r request
	for {
		if r.read(in) != nil {
			return
		}
		if r.expect {
			conn.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
		}
		length, err := r.drain(in)
		if err != nil {
			return
		}
		switch inner(r.path) {
		case "/":
			_, err = conn.Write(small)
		case "/headers":
			_, err = conn.Write(headers)
		case "/echo":
			text := strconv.FormatInt(length, 10)
			_, err = conn.Write(response("text/plain", "", []byte(text)))
		case "/1m":
			_, err = conn.Write(mebi)
		case "/stream":
			err = stream(conn, r.query)
		case "/sse":
			events(conn, r.query)
			return
		case "/ws":
			echo(conn, in, r.key)
			return
		default:
			_, err = conn.Write(missing)
		}
		if err != nil {
			return
		}
	}
}

func stream(conn net.Conn, query string) error {
	left, _ := strconv.ParseInt(query, 10, 64)
	if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", left); err != nil {
		return err
	}
	for left > 0 {
		part := mebibyte[:1<<18]
		if left < int64(len(part)) {
			part = part[:left]
		}
		n, err := conn.Write(part)
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	return nil
}

func events(conn net.Conn, query string) {
	interval, _ := strconv.Atoi(query)
	if interval < 1 {
		interval = 1
	}
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n")
	tick := time.NewTicker(time.Duration(interval) * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		event := fmt.Sprintf("data: %d\n\n", time.Now().UnixMicro())
		if _, err := fmt.Fprintf(conn, "%x\r\n%s\r\n", len(event), event); err != nil {
			return
		}
	}
}

// Echoes frames of up to 4 KiB until the connection ends.
func echo(conn net.Conn, in *bufio.Reader, key string) {
	sum := sha1.Sum([]byte(key + websocketGUID))
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	var frame [4100]byte
	for {
		if _, err := io.ReadFull(in, frame[:2]); err != nil {
			return
		}
		first, size := frame[0], int(frame[1]&0x7f)
		head := 2
		if size == 126 {
			if _, err := io.ReadFull(in, frame[2:4]); err != nil {
				return
			}
			size, head = int(binary.BigEndian.Uint16(frame[2:4])), 4
		}
		if size > 4096 {
			return
		}
		var mask [4]byte
		if _, err := io.ReadFull(in, mask[:]); err != nil {
			return
		}
		payload := frame[head : head+size]
		if _, err := io.ReadFull(in, payload); err != nil {
			return
		}
		for i := range payload {
			payload[i] ^= mask[i&3]
		}
		frame[0], frame[1] = first, frame[1]&0x7f
		if _, err := conn.Write(frame[:head+size]); err != nil || first&0x0f == 8 {
			return
		}
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			continue
		}
		go serve(conn)
	}
}
