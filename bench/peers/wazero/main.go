// drives wazero's interpreter: `bench-wazero MODULE N…` calls the export `run` with each N, prints result and CPU seconds a line.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

func cpu() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) * 1e-9
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	bytes, err := os.ReadFile(os.Args[1])
	fail(err)
	ctx := context.Background()
	config := wazero.NewRuntimeConfigInterpreter()
	if os.Getenv("WAZERO_COMPILER") != "" {
		config = wazero.NewRuntimeConfigCompiler()
	}
	r := wazero.NewRuntimeWithConfig(ctx, config)
	m, err := r.Instantiate(ctx, bytes)
	fail(err)
	for _, arg := range os.Args[2:] {
		n, err := strconv.Atoi(arg)
		fail(err)
		t := cpu()
		out, err := m.ExportedFunction("run").Call(ctx, api.EncodeI32(int32(n)))
		fail(err)
		fmt.Printf("%d %.6f\n", api.DecodeI32(out[0]), cpu()-t)
	}
}
