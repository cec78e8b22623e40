"""The script that puts a new `.env` in place on a node. POSIX sh; argument 1 is the path.

Standard input, as `env_file.env_payload` makes it: one line with the SHA-256 of the content that
the edit was based on and that of the new content, then the new content. The file is replaced by a
rename, so a reader sees the old or the new one, never a part. Exit codes: 3 the file is missing,
4 it was changed meanwhile, 5 it could not be written; the old file is whole in every case.
"""

WRITE = r"""
set -u
export LC_ALL=C
umask 077
path=$(readlink -f -- "$1") && [ -f "$path" ] || {
    echo "$1 is missing or is not a file." >&2; exit 3; }
dir=${path%/*}
draft="$dir/.env.clusterpanel-new.$$"
trap 'rm -f -- "$draft"' EXIT
trap 'exit 5' HUP INT TERM

hash_of() { sha256sum < "$1" | cut -d ' ' -f 1; }
not_written() { echo "$1; $path is as it was." >&2; exit 5; }
refuse_if_changed() {
    [ "$(hash_of "$1")" = "$based_on" ] || {
        echo "$path was changed meanwhile; nothing was written. Look at it and try again." >&2
        exit 4; }
}
# cp -p gives the copy the owner, group, mode and times of the original before content goes in.
like_original() {
    cp -p -- "$path" "$1" || return 1
    chown --reference="$path" -- "$1" 2>/dev/null || true
    chmod --reference="$path" -- "$1" 2>/dev/null || true
    chcon --reference="$path" -- "$1" 2>/dev/null || true
}
name_backup() { backup="$path.clusterpanel-$(date +%Y%m%d%H%M%S)"; }

read -r based_on wanted || not_written "No content was sent"
refuse_if_changed "$path"
name_backup
while [ -e "$backup" ]; do sleep 1; name_backup; done
like_original "$backup" && [ "$(hash_of "$backup")" = "$based_on" ] || {
    rm -f -- "$backup"; not_written "The backup copy could not be made in $dir"; }

# A full disk and a broken connection both show here, before the rename.
like_original "$draft" && cat > "$draft" && { sync "$draft" 2>/dev/null || sync; } &&
    [ "$(hash_of "$draft")" = "$wanted" ] || {
    rm -f -- "$backup"; not_written "The new content did not arrive whole in $dir"; }
touch -- "$draft"
refuse_if_changed "$path"
mv -f -- "$draft" "$path" || not_written "The new file could not be put in place"
sync "$dir" 2>/dev/null || true

# Only copies that this script made have this name; the newest ten are kept.
ls -1 -- "$path".clusterpanel-[0-9]* 2>/dev/null | sort -r | tail -n +11 |
    while IFS= read -r old; do rm -f -- "$old"; done

echo "wrote $path; the copy of the old file is $backup"
blank='[[:space:]]*'
grep -a -E "^$blank(export )?$blank(GALERA_PEER|CLUSTER_FS_PEER|CLUSTER_PRIMARY)_HOSTS?$blank=" \
    -- "$path"
"""
