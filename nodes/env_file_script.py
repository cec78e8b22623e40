"""The script that puts a new `.env` in place on a node. POSIX sh; argument 1 is the path.

Standard input, as `env_file.env_payload` makes it: one line with the SHA-256 of the content that
the edit was based on and that of the new content, then the new content. The file is replaced by a
rename, so a reader sees the old or the new one, never a part. Exit codes: 3 the file is missing,
4 it was changed meanwhile, 5 it could not be written; the old file is whole in every case. 6: the new
file is in place, and what is read there now is another content.

Whatever kills it, and wherever: what stands at the path is the old or the new file, whole. A draft
that a killed one left behind is removed by the next.
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
# Where there is no SELinux chcon fails, and there is no label to keep.
like_original() {
    cp -p -- "$path" "$1" || return 1
    chown --reference="$path" -- "$1" 2>/dev/null || true
    chmod --reference="$path" -- "$1" 2>/dev/null || true
    chcon --reference="$path" -- "$1" 2>/dev/null || true
    [ "$(stat -c '%u %g %a' -- "$1")" = "$(stat -c '%u %g %a' -- "$path")" ]
}
remove_old_drafts() {
    for old in "$dir"/.env.clusterpanel-new.*; do
        [ ! -e "$old" ] || kill -0 "${old##*.}" 2>/dev/null || rm -f -- "$old"
    done
}
name_backup() { backup="$path.clusterpanel-$(date +%Y%m%d%H%M%S)"; }

read -r based_on wanted || not_written "No content was sent"
refuse_if_changed "$path"
remove_old_drafts
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
mv -f -- "$draft" "$path" || {
    rm -f -- "$backup"; not_written "The new file could not be put in place"; }
sync "$dir" 2>/dev/null || true
[ "$(hash_of "$path")" = "$wanted" ] || {
    echo "$path was written, but reads differently now; the old file is $backup" >&2; exit 6; }

# Only copies that this script made have this name; the newest ten are kept.
ls -1 -- "$path".clusterpanel-[0-9]* 2>/dev/null | sort -r | tail -n +11 |
    while IFS= read -r old; do rm -f -- "$old"; done

echo "wrote $path; the copy of the old file is $backup"
blank='[[:space:]]*'
grep -a -E "^$blank(export )?$blank(GALERA_PEER|CLUSTER_FS_PEER|CLUSTER_PRIMARY)_HOSTS?$blank=" \
    -- "$path"
"""
