"""Runs a WASI program with the wasmtime of PyPI's wheel: wasmtime_run.py COMPILED PROGRAM.wasm ARGS...

The directory it is run in, /tmp, DRIFTDB_WASI_DIR, the environment and the standard streams are the program's. It is compiled once, into the file COMPILED.
"""

import os
import sys

from wasmtime import Config, Engine, ExitTrap, Linker, Module, Store, Trap, WasiConfig, WasmtimeError


def compiled(engine: Engine, program: str, path: str) -> Module:
    """The program, compiled now or by an earlier run of the same engine."""
    try:
        if os.stat(path).st_mtime_ns >= os.stat(program).st_mtime_ns:
            return Module.deserialize_file(engine, path)
    except OSError:
        pass
    module = Module.from_file(engine, program)
    mine = f"{path}.{os.getpid()}"
    try:
        with open(mine, "wb") as file:
            file.write(module.serialize())
        os.replace(mine, path)
    except OSError:
        pass
    return module


def main() -> int:
    path, program, *arguments = sys.argv[1:]
    engine = Engine(Config())
    module = compiled(engine, program, path)
    wasi = WasiConfig()
    wasi.argv = [os.path.basename(program).removesuffix(".wasm"), *arguments]
    wasi.env = [(name, value) for name, value in os.environ.items() if name != "PYTHONPATH"]
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    for directory in (".", "/tmp", os.environ.get("DRIFTDB_WASI_DIR")):
        if directory:
            wasi.preopen_dir(directory, directory)
    store = Store(engine)
    store.set_wasi(wasi)
    linker = Linker(engine)
    linker.define_wasi()
    instance = linker.instantiate(store, module)
    try:
        instance.exports(store)["_start"](store)
    except ExitTrap as exit:
        return exit.code
    except (Trap, WasmtimeError) as trap:
        print(trap, file=sys.stderr, flush=True)
        return 134
    return 0


if __name__ == "__main__":
    # Nothing of Python's is worth an orderly end.
    status = main()
    sys.stderr.flush()
    os._exit(status)
