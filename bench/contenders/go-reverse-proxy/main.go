// The Go contender: net/http/httputil.ReverseProxy with the work of the sandbox proxy it stands for. A regexp on the Host header,
// the SHA-256 of the API key looked up, the route looked up, both in mutex-guarded maps, and the path rewritten to the
// agent's form. No log and no database: the maps are filled at start.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"sync"
	"time"
)

var sandboxHost = regexp.MustCompile(`^(\d+)-(cl-[0-9a-z]+)\.`)

type table[V any] struct {
	mu   sync.Mutex
	rows map[string]V
}

func (t *table[V]) get(key string) (V, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	row, ok := t.rows[key]
	return row, ok
}

type route struct {
	team   string
	origin *url.URL
}

type directory struct {
	teams  table[string]
	routes table[route]
}

func newDirectory(key, sandboxFile string, origin *url.URL) *directory {
	sum := sha256.Sum256([]byte(key))
	d := &directory{}
	d.teams.rows = map[string]string{hex.EncodeToString(sum[:]): "team"}
	d.routes.rows = map[string]route{}
	file, err := os.Open(sandboxFile)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		d.routes.rows[lines.Text()] = route{team: "team", origin: origin}
	}
	return d
}

// Puts the route into the inbound URL, where Rewrite's outbound copy finds it; answers the client and returns false where
// there is none.
func (d *directory) admit(w http.ResponseWriter, r *http.Request) bool {
	match := sandboxHost.FindStringSubmatch(r.Host)
	if match == nil {
		http.Error(w, "not a sandbox", http.StatusNotFound)
		return false
	}
	sum := sha256.Sum256([]byte(r.Header.Get("X-API-Key")))
	team, ok := d.teams.get(hex.EncodeToString(sum[:]))
	if !ok {
		http.Error(w, "invalid API key", http.StatusUnauthorized)
		return false
	}
	found, ok := d.routes.get(match[2])
	if !ok || found.team != team {
		http.Error(w, "sandbox not found", http.StatusNotFound)
		return false
	}
	prefix := "/proxy/" + match[2] + "/" + match[1]
	r.URL.Scheme, r.URL.Host = found.origin.Scheme, found.origin.Host
	if r.URL.RawPath != "" {
		r.URL.RawPath = prefix + r.URL.RawPath
	}
	r.URL.Path = prefix + r.URL.Path
	return true
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	upstream := flag.String("upstream", "", "origin of the host agent")
	sandboxes := flag.String("sandboxes", "", "file with one sandbox id on each line")
	flag.Parse()
	origin, err := url.Parse(*upstream)
	if err != nil {
		log.Fatal(err)
	}
	directory := newDirectory(os.Getenv("BENCH_API_KEY"), *sandboxes, origin)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.Host = ""
			r.Out.Header.Del("X-API-Key")
			r.SetXForwarded()
		},
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConns:        0,
			MaxIdleConnsPerHost: 20000,
			IdleConnTimeout:     90 * time.Second,
			DisableCompression:  true,
		},
	}
	server := &http.Server{
		Addr: *listen,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if directory.admit(w, r) {
				proxy.ServeHTTP(w, r)
			}
		}),
	}
	log.Fatal(server.ListenAndServe())
}
