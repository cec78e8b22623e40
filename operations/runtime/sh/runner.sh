# The detached process of one job. Arguments: job directory, home, run id, place for an exit code
# that the disk cannot take. It claims the job by linking `pid`, runs `command`, leaves `rc`.
# Every file that it needs was made before: a full disk cannot take the exit code away.
dir=$1 home=$2 run=$3 spare=$4
umask 077
read -r line < "/proc/$$/stat"
set -f
# The name of a process may hold blanks and brackets: count the fields behind the last bracket.
set -- ${line##*) }
printf '%-31s\n' "$$ ${20}" 1<> "$dir/slot" && ln "$dir/slot" "$dir/pid" 2> /dev/null || exit 0
set +f

export LC_ALL=C TERM=dumb HOME="$home" CLUSTERPANEL_RUN="$run" CLUSTERPANEL_JOB="${dir##*/}"
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022
cd "$home" 2> /dev/null || cd /

# systemd and our own start script ignore SIGPIPE, and a shell cannot undo that: without this,
# `yes | head -1` in a step would behave in another way than in a person's terminal.
set -- sh "$dir/command"
if env --default-signal=HUP,PIPE true 2> /dev/null; then
    set -- env --default-signal=HUP,PIPE "$@"
elif perl -e 1 2> /dev/null; then
    set -- perl -e '$SIG{PIPE} = $SIG{HUP} = "DEFAULT"; exec @ARGV' "$@"
fi

# Input for the command is gone from the disk before the command begins.
if [ -f "$dir/stdin" ]; then
    exec 3< "$dir/stdin"
    rm -f "$dir/stdin"
else
    exec 3< /dev/null
fi
"$@" <&3 >> "$dir/log" 2>&1 3<&-
code=$?

{ printf '%-31s\n' "$code" 1<> "$dir/rc.new" && mv "$dir/rc.new" "$dir/rc"; } 2> /dev/null || {
    mkdir -p "$spare" && printf '%s\n' "$code" > "$spare/${dir##*/}.rc"
} 2> /dev/null
exit 0 # a failed unit would stay in systemd's list for ever
