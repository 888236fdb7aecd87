package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"log"
	"net"
	"strconv"
	"strings"
)

// runBackend answers, on each connection, what its first line asks for: "echo", "source BYTES" (bytes counting up in
// 32-bit words), "sink BYTES" (reads so many, then says "ok"), or "rr BYTES" (so many bytes for each line that follows).
func runBackend() {
	l := listen()
	for {
		conn, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serveBackend(conn)
	}
}

func serveBackend(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	if err != nil {
		return
	}
	what, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
	n, _ := strconv.ParseInt(arg, 10, 64)
	switch what {
	case "echo":
		io.Copy(conn, in)
	case "source":
		source(conn, n)
	case "sink":
		if _, err := io.CopyN(io.Discard, in, n); err == nil {
			io.WriteString(conn, "ok")
		}
	case "rr":
		answer := make([]byte, n)
		for {
			if _, err := in.ReadSlice('\n'); err != nil {
				return
			}
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}
}

func source(conn net.Conn, n int64) {
	block := make([]byte, 32*1024)
	for sent := int64(0); sent < n; sent += int64(len(block)) {
		for i := 0; i < len(block); i += 4 {
			binary.LittleEndian.PutUint32(block[i:], uint32((sent+int64(i))/4))
		}
		if _, err := conn.Write(block[:min(int64(len(block)), n-sent)]); err != nil {
			return
		}
	}
}
