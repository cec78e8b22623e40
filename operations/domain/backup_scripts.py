"""The shell of the backups: take one, and read one back. POSIX sh with GNU tar, find and gzip.

POSIX sh knows no `pipefail`, so each pipe writes down the exit code of its first half. Nothing
appears under its final name before it was read back whole; what was begun is removed.
"""

FOLDER = "/var/lib/clusterpanel/backups"

_PREPARE = r"""
set -u
export LC_ALL=C
umask 077
folder=${target%/*}
draft=$target.part
fail() { echo "ERROR: $*" >&2; exit 1; }
trap 'rm -f -- "$draft" "$draft".*' EXIT
trap 'exit 143' HUP INT TERM
mkdir -p -- "$folder" && chmod 700 -- "$folder" || fail "cannot make the folder $folder"
rm -f -- "$folder"/*.part "$folder"/*.part.*
free=$(df -Pk -- "$folder" | awk 'NR == 2 { print $4 }')
"""

_FINISH = r"""
chmod 600 -- "$draft" || fail "cannot set the mode of $draft"
sync
mv -f -- "$draft" "$target" || fail "cannot put $target in place"
echo "$(wc -c < "$target" | tr -d ' ') bytes in $target"
echo "sha256 $(sha256sum < "$target" | cut -d ' ' -f 1)"
"""

# $1: the file to write.
DUMP = (
    "target=$1\n"
    + _PREPARE
    + r"""
dump=$(command -v mariadb-dump || command -v mysqldump) ||
    fail "neither mariadb-dump nor mysqldump is installed"
client=$(command -v mariadb || command -v mysql) || fail "neither mariadb nor mysql is installed"
ask() { "$client" --connect-timeout=10 -NBe "$1"; }
data=$(ask "SELECT COALESCE(SUM(data_length), 0) DIV 1024 FROM information_schema.tables") ||
    fail "the database does not answer"
names=$(ask "SHOW DATABASES" | grep -vxE 'information_schema|performance_schema|sys' | tr '\n' ' ')
echo "databases: $names"
echo "data: $data KiB, free in $folder: $free KiB"
[ "$free" -gt "$data" ] ||
    fail "No space left for a backup: $data KiB of data, $free KiB free in $folder"
echo "dumping all databases"
{
    "$dump" --all-databases --single-transaction --routines --events --triggers
    echo $? > "$draft.code"
} | gzip -c > "$draft"
packed=$?
code=$(cat "$draft.code" 2>/dev/null)
[ "$code" = 0 ] || fail "the dump ended with exit code ${code:-unknown}"
[ "$packed" -eq 0 ] || fail "the dump could not be written to $draft (exit code $packed)"
echo "reading the dump back"
gzip -t "$draft" || fail "the dump cannot be unpacked"
case $(gzip -dc "$draft" | tail -n 1) in
    "-- Dump completed"*) ;;
    *) fail "the dump has no closing line; it is not complete" ;;
esac
"""
    + _FINISH
)

# $1: the file to write, $2: the directory to archive. Files come and go while dpiui2 works: what
# was there before and after must be inside; the number of entries is kept beside the archive.
ARCHIVE = (
    "target=$1\nsource=$2\n"
    + _PREPARE
    + r"""
cd -- "$source" || fail "the directory $source is missing"
data=$(du -sk . | cut -f 1)
echo "data: $data KiB, free in $folder: $free KiB"
[ "$free" -gt "$data" ] ||
    fail "No space left for a backup: $data KiB of files, $free KiB free in $folder"
list() { find . -type d -printf '%p/\n' -o -printf '%p\n' | sort; }
list > "$draft.before" || fail "$source cannot be listed"
echo "archiving $(wc -l < "$draft.before") entries of $source"
{
    tar -cf - .
    echo $? > "$draft.code"
} | gzip -c > "$draft"
packed=$?
code=$(cat "$draft.code" 2>/dev/null)
# GNU tar: 1 means that a file changed while it was read, as a log does.
[ "$code" = 0 ] || [ "$code" = 1 ] || fail "tar ended with exit code ${code:-unknown}"
[ "$packed" -eq 0 ] || fail "the archive could not be written to $draft (exit code $packed)"
list > "$draft.after" || fail "$source cannot be listed"
echo "reading the archive back"
tar --quoting-style=literal -tzf "$draft" > "$draft.listed" || fail "the archive cannot be listed"
entries=$(wc -l < "$draft.listed" | tr -d ' ')
sort "$draft.listed" > "$draft.inside"
comm -12 "$draft.before" "$draft.after" | comm -23 - "$draft.inside" > "$draft.missing"
[ ! -s "$draft.missing" ] ||
    fail "the archive lacks $(wc -l < "$draft.missing") entries: $(head -n 1 "$draft.missing") …"
echo "$entries entries in the archive"
echo "$entries" > "$target.entries" || fail "cannot write $target.entries"
"""
    + _FINISH
)

_READ = r"""
set -u
export LC_ALL=C
file=$1
[ -f "$file" ] || { echo "$file is missing or is not a file" >&2; exit 3; }
[ -r "$file" ] || { echo "$file cannot be read" >&2; exit 3; }
[ -s "$file" ] || { echo "$file is empty" >&2; exit 4; }
"""

_SUMS = r"""
echo "bytes=$(wc -c < "$file" | tr -d ' ')"
echo "sha256=$(sha256sum < "$file" | cut -d ' ' -f 1)"
"""

# $1: the file. Exit codes: 3 missing, 4 empty, 5 does not unpack, 6 no closing line.
READ_DUMP = (
    _READ
    + r"""
if [ "$(head -c 2 -- "$file" | od -An -tx1 | tr -d ' ')" = 1f8b ]; then
    gzip -t -- "$file" || { echo "$file cannot be unpacked" >&2; exit 5; }
    last=$(gzip -dc -- "$file" | tail -c 4096 | grep -a -v '^[[:space:]]*$' | tail -n 1)
else
    last=$(tail -c 4096 -- "$file" | grep -a -v '^[[:space:]]*$' | tail -n 1)
fi
case $last in
    "-- Dump completed"*) echo "trailer=$last" ;;
    *) echo "$file does not end with “-- Dump completed”; the dump is not complete" >&2; exit 6 ;;
esac
"""
    + _SUMS
)

# $1: the file. `expected`: the entries counted when the panel took the backup, else empty.
READ_ARCHIVE = (
    _READ
    + r"""
entries=$(tar --quoting-style=literal -tf "$file" 2> /dev/null | wc -l | tr -d ' ')
tar -tf "$file" > /dev/null || { echo "$file cannot be listed" >&2; exit 5; }
[ "$entries" -gt 0 ] || { echo "$file holds no files" >&2; exit 6; }
echo "entries=$entries"
echo "expected=$(cat -- "$file.entries" 2>/dev/null)"
"""
    + _SUMS
)

# $1...: files. One line each: the size in bytes, or "-" when the file is not there.
SIZES = r"""
for file in "$@"; do
    if [ -f "$file" ]; then wc -c < "$file" | tr -d ' '; else echo -; fi
done
"""
