import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the drivers of Java libraries share: the command line (see driven.py) and the outcome file.
 *
 * <p>A driver runs one core module of preview 1. Any exception is the ending of the phase that it is in.
 */
abstract class Driver {
    final Map<String, String> env = new LinkedHashMap<>();
    /** The host's folder by the guest's name. */
    final Map<String, String> dirs = new LinkedHashMap<>();

    final List<String> argv = new ArrayList<>();
    Path module;

    /** rejected, then link-error, then trap; internal where the library itself failed. */
    String phase = "rejected";

    /** Runs the module, and returns its exit status. */
    abstract int run() throws Exception;

    static void start(Driver driver, String[] words) throws IOException {
        Path outcome = Path.of("outcome.json");
        int at = 0;
        for (; words[at].startsWith("--"); at += 2) {
            String value = words[at + 1];
            switch (words[at]) {
                case "--outcome":
                    outcome = Path.of(value);
                    break;
                case "--env":
                    driver.env.put(value.substring(0, value.indexOf('=')), value.substring(value.indexOf('=') + 1));
                    break;
                default: // --dir HOST GUEST
                    driver.dirs.put(words[++at + 1], value);
            }
        }
        driver.module = Path.of(words[at]);
        driver.argv.add(driver.module.getFileName().toString());
        driver.argv.addAll(List.of(words).subList(at + 1, words.length));
        int status = 1;
        String ending;
        try {
            status = driver.run();
            ending = "\"outcome\":\"exited\",\"status\":" + status;
        } catch (Exception | StackOverflowError error) {
            String message = error.getClass().getSimpleName() + ": " + error.getMessage();
            System.out.flush();
            System.err.println(driver.phase + ": " + message);
            ending = "\"outcome\":\"" + driver.phase + "\",\"message\":\"" + quoted(message) + "\"";
        }
        System.out.flush();
        Files.writeString(outcome, "{\"schema\":\"touchstone-outcome/1\"," + ending + "}\n");
        System.exit(status);
    }

    private static String quoted(String text) {
        StringBuilder made = new StringBuilder();
        for (char letter : text.substring(0, Math.min(text.length(), 300)).toCharArray()) {
            if (letter < ' ' || letter == '"' || letter == '\\') {
                made.append(String.format("\\u%04x", (int) letter));
            } else {
                made.append(letter);
            }
        }
        return made.toString();
    }
}
