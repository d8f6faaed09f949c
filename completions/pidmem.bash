# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for pidmem. Needs nothing but bash.

# PIDs that begin with $1. With several the name of the program stands behind each; menu completion, which would
# put the name on the command line, gets the bare numbers.
_pidmem_pids() {
	local directory pid name first
	COMPREPLY=()
	if [[ $2 == pid-or-self && $1 == [!0-9]* ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$1")
		compopt -o filenames 2>/dev/null
	fi
	for directory in /proc/[0-9]*; do
		pid=${directory#/proc/}
		[[ $pid == "$1"* ]] || continue
		first=
		{ IFS= read -r -d '' first <"$directory/cmdline"; } 2>/dev/null
		[[ $first ]] || continue # a kernel thread or a zombie has no command line: nothing to read either
		{ IFS= read -r name <"$directory/comm"; } 2>/dev/null || continue
		COMPREPLY+=("$pid ($name)")
	done
	if [[ $2 == pid-or-self && self == "$1"* ]]; then
		COMPREPLY+=(self)
	fi
	if ((${#COMPREPLY[@]} == 1)) || [[ ${COMP_TYPE:-9} == 37 ]]; then
		COMPREPLY=("${COMPREPLY[@]%% (*}")
	fi
}

_pidmem_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# Terms of -R, with or without a leading "!".
_pidmem_select() {
	local not=
	[[ $1 == '!'* ]] && not='!'
	mapfile -t COMPREPLY < <(compgen -P "$not" -W 'heap stack anon file shared vdso' -- "${1#!}")
}

# The last name of a list with commas; those before it stay.
_pidmem_columns() {
	local columns='range start end perms size rss swap saved kind name path offset dev inode strip pss shared_clean
		shared_dirty private_clean private_dirty referenced anonymous huge swap_pss locked flags'
	local before=
	[[ $1 == *,* ]] && before=${1%,*},
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$columns" -- "${1##*,}")
	compopt -o nospace
	return 0
}

# The argument of option $1, of which $2 is there; fails if the option takes none.
_pidmem_argument() {
	case $1 in
	-R | --region) _pidmem_select "$2" ;;
	--consistency) _pidmem_words 'live stopped snapshot' "$2" ;;
	--shared) _pidmem_words 'auto paused after' "$2" ;;
	--engine) _pidmem_words 'auto precopy clone' "$2" ;;
	--type | -t) _pidmem_words 'u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 ptr' "$2" ;;
	--file | -f | --yara | -y | --save | --in) mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
	--filter | --shared-limit | --max-pause | --regex | -e | --hex | --align | --limit | -l | --context | -C | --every | --count) ;;
	--color | --progress) _pidmem_words 'auto never always' "$2" ;;
	--proc | --split) mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
	--output) mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
	--columns) _pidmem_columns "$2" ;;
	-o) if [[ $command == maps ]]; then _pidmem_argument --columns "$2"; else _pidmem_argument --output "$2"; fi ;;
	*) return 1 ;;
	esac
}

_pidmem() {
	local current=${COMP_WORDS[COMP_CWORD]} option='' command='' operands=0 i
	local common='-h --help -V --version -q --quiet --color='
	local other='-j --json -R --region= --consistency= --progress= --proc= --files' own=
	local pausing='--engine= --max-pause= --shared= --shared-limit='
	local writing='-z --zstd --max-size= --max-time= --partial --rate= --nice'
	COMPREPLY=()

	# What stands before the cursor: the command, and how many operands behind it. "=" is a word of its own.
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		= | -R | -o | --region | --consistency | --color | --progress | --proc | --columns | --output | --split | \
			--filter | --shared | --shared-limit | --engine | --max-pause | --max-size | --max-time | --rate | \
			-e | --regex | -t | --type | -f | --file | --align | -l | --limit | -C | --context | --hex | --save | \
			-y | --yara | --in | --every | --count)
			[[ ${COMP_WORDS[i + 1]} == = ]] || ((i++)) # its argument
			;;
		-*) ;;
		*) if [[ $command ]]; then ((operands++)); else command=${COMP_WORDS[i]}; fi ;;
		esac
	done

	# The argument of an option: "--option=ARG", "--option ARG" or "-o ARG".
	if [[ $current == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 1]}
		current=
	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	else
		option=${COMP_WORDS[COMP_CWORD - 1]}
	fi
	if [[ $option == -* ]] && _pidmem_argument "$option" "$current"; then
		return
	fi

	case $command in
	maps)
		other=${other% --files}
		own='-o --columns= --watch -x --extended'
		;;
	read) own='--raw --xxd' ;;
	find)
		own='-e --regex= -x --hex= -t --type= -y --yara= --strings -f --file= -i --ignore-case --wide -a --align='
		own+=' -l --limit= -C --context= --swapped --save= --in= --force'
		;;
	diff) own='--summary --swapped --every= --count=' ;;
	dump) own="-o --output= --split= $pausing $writing --force" ;;
	core) own="-o --output= -a --all --filter= --tree $pausing $writing --force" ;;
	gcore) other='--consistency= --progress= --proc=' own='-a --all -o --output= --force' ;;
	report) own='-o --output= --no-bytes --force' ;;
	info) other='-j --json --proc= --files' ;;
	why) other='-j --json --proc=' ;;
	help) other= ;;
	esac
	if [[ $current == -* ]]; then
		_pidmem_words "$common $other $own" "$current"
		[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
	elif [[ ! $command ]]; then
		_pidmem_words 'maps read find diff dump core gcore info report why help' "$current"
	elif [[ $command == help ]]; then
		[[ $operands == 0 ]] && _pidmem_words 'maps read find diff dump core gcore info report why help' "$current"
	elif [[ $command == why ]]; then
		[[ $operands == 0 ]] && _pidmem_pids "$current" pid
	elif [[ $command == gcore ]]; then
		_pidmem_pids "$current" pid # any number of them
	elif [[ $command == core || $operands == 0 || ($command == @(diff|report) && $operands == 1) ]]; then
		_pidmem_pids "$current" pid-or-self
	fi
	return 0
}

complete -F _pidmem pidmem
