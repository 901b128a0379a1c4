import java.io.IOException;
import java.util.stream.Collectors;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.Source;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.io.IOAccess;

/** Runs one core module of preview 1 with GraalWasm. */
class GraalWasm extends Driver {
    public static void main(String[] words) throws IOException {
        start(new GraalWasm(), words);
    }

    @Override
    int run() throws IOException {
        String folders = dirs.entrySet().stream()
                .map(dir -> dir.getKey() + "::" + dir.getValue())
                .collect(Collectors.joining(","));
        var builder = Context.newBuilder("wasm")
                .option("wasm.Builtins", "wasi_snapshot_preview1")
                .option("engine.WarnInterpreterOnly", "false")
                .arguments("wasm", argv.toArray(new String[0]))
                .allowIO(IOAccess.ALL)
                .in(System.in)
                .out(System.out)
                .err(System.err);
        env.forEach(builder::environment);
        if (!folders.isEmpty()) {
            builder.option("wasm.WasiMapDirs", folders);
        }
        try (Context context = builder.build()) {
            Value parsed = context.eval(Source.newBuilder("wasm", module.toFile()).name("main").build());
            phase = "link-error";
            Value start = parsed.newInstance().getMember("exports").getMember("_start");
            phase = "trap";
            start.execute();
            return 0;
        } catch (PolyglotException error) {
            if (error.isExit()) {
                return error.getExitStatus();
            }
            if (error.isInternalError()) { // an exception of the host, not of the module
                phase = "internal";
            }
            throw error;
        }
    }
}
