import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Store;
import com.dylibso.chicory.wasi.WasiExitException;
import com.dylibso.chicory.wasi.WasiOptions;
import com.dylibso.chicory.wasi.WasiPreview1;
import com.dylibso.chicory.wasm.ChicoryException;
import com.dylibso.chicory.wasm.Parser;
import java.io.IOException;
import java.nio.file.Path;

/** Runs one core module of preview 1 with Chicory. */
class Chicory extends Driver {
    public static void main(String[] words) throws IOException {
        start(new Chicory(), words);
    }

    @Override
    int run() {
        WasiOptions.Builder options = WasiOptions.builder().withArguments(argv);
        options.withStdin(System.in).withStdout(System.out).withStderr(System.err);
        env.forEach(options::withEnvironment);
        dirs.forEach((guest, host) -> options.withDirectory(guest, Path.of(host)));
        try {
            return run(options.build());
        } catch (WasiExitException exit) {
            return exit.exitCode();
        } catch (ChicoryException error) {
            throw error;
        } catch (RuntimeException error) { // an exception of the host, not of the module
            phase = "internal";
            throw error;
        }
    }

    private int run(WasiOptions options) {
        var parsed = Parser.parse(module.toFile());
        phase = "link-error";
        try (var wasi = WasiPreview1.builder().withOptions(options).build()) {
            var imports = new Store().addFunction(wasi.toHostFunctions()).toImportValues();
            var instance = Instance.builder(parsed).withImportValues(imports).withStart(false).build();
            var start = instance.export("_start");
            phase = "trap";
            start.apply();
            return 0;
        }
    }
}
