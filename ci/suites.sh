#!/usr/bin/env bash
# Puts the official suites into $BUILD/suites (BUILD defaults to build): a link to ../shared/suites where that folder
# holds the same content, else a shallow fetch of the pinned commit (ci/suites.tsv). Nothing of them enters the repo.
# TOUCHSTONE_SUITE_NAME (upper case, - as _) names a folder to take instead, or a git repository to fetch that commit from.
# A suite that cannot be had is named in one line; the exit status is 0 all the same: who needs it says so.
set -u
cd "$(dirname "$0")/.." || exit 1
out=${BUILD:-build}/suites
shared=${TOUCHSTONE_SHARED:-../shared}/suites
mkdir -p "$out"
while IFS=$'\t' read -r name url commit folder local_name; do
    case $name in '' | '#'*) continue ;; esac
    dest=$out/$name
    if [ "$(cat "$dest.commit" 2>/dev/null)" = "$commit" ] && [ -e "$dest/." ]; then
        echo "suites: $name is there ($commit)"
        continue
    fi
    rm -rf "$dest" "$dest.commit"
    variable=TOUCHSTONE_SUITE_$(tr a-z- A-Z_ <<< "$name")
    named=${!variable:-}
    if [ -n "$named" ] && git -C "$named" rev-parse -q --verify "$commit^{commit}" > /dev/null 2>&1 && [ ! -d "$named/$folder" ]; then
        url=$(realpath "$named")
    elif [ -n "$named" ]; then
        [ -d "$named" ] || { echo "suites: $name is absent: $variable names no folder: $named" && continue; }
        [ -d "$named/$folder" ] && named=$named/$folder
        ln -s "$(realpath "$named")" "$dest"
        echo "suites: $name taken from $named"
        continue
    fi
    if [ "$local_name" != - ] && [ -d "$shared/$local_name" ]; then
        ln -s "$(realpath "$shared/$local_name")" "$dest" && echo "$commit" > "$dest.commit"
        echo "suites: $name taken from $shared/$local_name"
        continue
    fi
    clone=$out/.clone/$(basename "$url")-${commit:0:12}
    if [ "$(git -C "$clone" rev-parse -q --verify HEAD 2>/dev/null)" != "$commit" ]; then
        rm -rf "$clone"
        git init -q "$clone"
        if ! GIT_TERMINAL_PROMPT=0 timeout 300 git -C "$clone" fetch -q --depth 1 "$url" "$commit" 2> "$clone.log" ||
            ! git -C "$clone" checkout -q FETCH_HEAD; then
            echo "suites: $name is absent: $url cannot be fetched ($(tail -n 1 "$clone.log"))"
            rm -rf "$clone"
            continue
        fi
    fi
    ln -s "$(realpath "$clone/$folder")" "$dest" && echo "$commit" > "$dest.commit"
    echo "suites: $name fetched ($commit)"
done < ci/suites.tsv
exit 0
