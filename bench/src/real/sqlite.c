/* SQLite: runs the statements of /in/script.sql on a database in memory, and prints the rows. */
#include "sqlite3.h"
#include "script.h"

static int print_row(void *data, int n, char **values, char **names) {
    (void)data;
    (void)names;
    for (int i = 0; i < n; i++) printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
    putchar('\n');
    return 0;
}

int main(void) {
    size_t size;
    char *script = read_script("/in/script.sql", &size);
    if (!script) return 4;
    sqlite3 *db;
    char *message = NULL;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK) return 5;
    if (sqlite3_exec(db, script, print_row, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "sqlite: %s\n", message);
        return 6;
    }
    return sqlite3_close(db) == SQLITE_OK ? 0 : 7;
}
