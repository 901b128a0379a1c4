# For `gdb -x .gdbinit --args build-debug/touchstone run …`, started in the root of the repository.
# make/gdb.py prints values by their type, handle tables and IR. `help touchstone` lists the commands.
source make/gdb.py
set print frame-arguments scalars
set print static-members off
# Guard pages of guest memories raise these signals on purpose; the runtime turns them into traps.
handle SIGSEGV SIGBUS nostop noprint pass
