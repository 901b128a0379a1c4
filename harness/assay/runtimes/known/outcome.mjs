// What the drivers in JavaScript share: the text of an error, and the outcome file.
// In: an error or an outcome. Out: a line; the file, written once.

export const text = (error) => `${error?.name ?? "thrown"}: ${error?.message ?? String(error)}`.slice(0, 500);

/** Returns a function that writes the outcome file once. `write` gets its content. A process that ends before has
 *  exited with its status. */
export function teller(write) {
  let told = false;
  const tell = (outcome) => {
    if (!told) write(`${JSON.stringify({ schema: "touchstone-outcome/1", ...outcome })}\n`);
    told = true;
  };
  process.on("exit", (status) => tell({ outcome: "exited", status }));
  return tell;
}
