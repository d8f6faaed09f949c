# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for pidmem

# PIDs with the names of their programs; kernel threads and zombies have no command line and nothing to read.
function __pidmem_pids
    for directory in (string match -r '^/proc/\d+$' /proc/*)
        set -l first ""
        read -z first <$directory/cmdline 2>/dev/null
        test -n "$first"; or continue
        set -l name ""
        read name <$directory/comm 2>/dev/null
        printf '%s\t%s\n' (string replace /proc/ '' $directory) $name
    end
end

function __pidmem_select
    set -l not (string match -r '^!' -- (commandline -ct))
    for kind in heap stack anon file shared vdso
        echo "$not$kind"
    end
end

# A list with commas: what is there already, with each further name behind it.
function __pidmem_columns
    set -l before (string match -r '^.*,' -- (commandline -ct | string replace -r '^--columns=' ''))
    for column in range start end perms size rss swap saved kind name path offset dev inode strip pss shared_clean \
            shared_dirty private_clean private_dirty referenced anonymous huge swap_pss locked flags
        echo "$before$column"
    end
end

# Is this the command, and are $argv[2] words behind it? Options do not count.
function __pidmem_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l plain
    set -l skip 0
    for word in $words
        if test $skip = 1
            set skip 0
        else if contains -- $word -R -o --region --consistency --color --progress --proc --columns --output --split \
                --filter --shared --shared-limit --engine --max-pause --max-size --max-time --rate
            set skip 1
        else if not string match -q -- '-*' $word
            set -a plain $word
        end
    end
    test (count $plain) = $argv[2]; or return 1
    test $argv[1] = ''; or contains -- "$plain[1]" $argv[3..] $argv[1]
end

set -l commands maps read find diff dump core gcore info report why help
set -l seen __fish_seen_subcommand_from

complete -c pidmem -f
complete -c pidmem -n "not $seen $commands" -a maps -d 'list the regions of a process'
complete -c pidmem -n "not $seen $commands" -a read -d 'show the bytes of a range'
complete -c pidmem -n "not $seen $commands" -a find -d 'tell where something is in memory'
complete -c pidmem -n "not $seen $commands" -a diff -d 'tell what is not the same in two processes, or files of them'
complete -c pidmem -n "not $seen $commands" -a dump -d 'write the memory of a process into a file, with an index'
complete -c pidmem -n "not $seen $commands" -a core -d 'write an ELF core of a process that runs on, for a debugger'
complete -c pidmem -n "not $seen $commands" -a gcore -d 'write cores as gdb\'s gcore does: arguments, names, messages'
complete -c pidmem -n "not $seen $commands" -a info -d 'tell what a process or a file is, and what it lacks'
complete -c pidmem -n "not $seen $commands" -a report -d 'show the memory of a process as one page of HTML'
complete -c pidmem -n "not $seen $commands" -a why -d 'tell whether a process can be read, and if not, why'
complete -c pidmem -n "not $seen $commands" -a help -d 'explain pidmem or one command'
complete -c pidmem -n '__pidmem_at help 1' -a "$commands"
complete -c pidmem -n '__pidmem_at maps 1 read find diff dump info report why' -k -a '(__pidmem_pids)'
complete -c pidmem -n '__pidmem_at report 2' -k -a '(__pidmem_pids)'
complete -c pidmem -n '__pidmem_at report 2' -F
complete -c pidmem -n "$seen core gcore" -k -a '(__pidmem_pids)' # any number of them
complete -c pidmem -n '__pidmem_at maps 1 read find diff dump core info report' -a self -d 'pidmem itself'
complete -c pidmem -n '__pidmem_at maps 1 read find diff dump core info report' -F

complete -c pidmem -s h -l help -d 'show help and exit'
complete -c pidmem -s V -l version -d 'show the version and exit'
# Some commands refuse some of these.
complete -c pidmem -n "not $seen gcore help" -s j -l json -d 'print JSON'
complete -c pidmem -s q -l quiet -d 'no progress, warnings or hints'
complete -c pidmem -n "not $seen gcore info why help" -s R -l region -x -a '(__pidmem_select)' -d 'only these regions'
complete -c pidmem -n "not $seen info why help" -l consistency -x -a 'live stopped snapshot' -d 'how the process is held still'
complete -c pidmem -l color -x -a 'auto never always' -d 'use colours'
complete -c pidmem -n "not $seen info why help" -l progress -x -a 'auto never always' -d 'show progress'
complete -c pidmem -n "not $seen help" -l proc -x -a '(__fish_complete_directories)' -d 'use the procfs mounted there'
complete -c pidmem -n "not $seen maps gcore why help" -l files -d 'what a core leaves out of mapped files, from these'

complete -c pidmem -n "$seen maps" -s o -l columns -x -a '(__pidmem_columns)' -d 'these columns'
complete -c pidmem -n "$seen maps" -l watch -d 'again each second'
complete -c pidmem -n "$seen maps" -s x -l extended -d 'the columns of pmap -x'
complete -c pidmem -n "$seen read" -l raw -d 'the bytes themselves'
complete -c pidmem -n "$seen read" -l xxd -d 'in the format of xxd'
complete -c pidmem -n '__pidmem_at diff 2' -k -a '(__pidmem_pids)'
complete -c pidmem -n '__pidmem_at diff 2' -F
complete -c pidmem -n "$seen diff" -l summary -d 'a line for each region'
complete -c pidmem -n "$seen diff find" -l swapped -d 'look at what is in swap as well'
complete -c pidmem -n "$seen diff" -l every -x -d 'one process, compared with what it was each time'
complete -c pidmem -n "$seen diff" -l count -x -d 'so often'
complete -c pidmem -n "$seen find" -s e -l regex -x -d 'a regular expression'
complete -c pidmem -n "$seen find" -s x -l hex -x -d 'bytes in hex, ? for any digit'
complete -c pidmem -n "$seen find" -s t -l type -x -a 'u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 ptr' \
    -d 'patterns are values'
complete -c pidmem -n "$seen find" -s y -l yara -r -F -d 'rules of YARA'
complete -c pidmem -n "$seen find" -l strings -d 'anything that reads as text'
complete -c pidmem -n "$seen find" -s f -l file -r -F -d 'patterns, one on each line'
complete -c pidmem -n "$seen find" -s i -l ignore-case -d 'letters fit in either case'
complete -c pidmem -n "$seen find" -l wide -d 'text and strings in UTF-16'
complete -c pidmem -n "$seen find" -s a -l align -x -d 'only multiples of it'
complete -c pidmem -n "$seen find" -s l -l limit -x -d 'end after so many matches'
complete -c pidmem -n "$seen find" -s C -l context -x -d 'show so many bytes around each match'
complete -c pidmem -n "$seen find" -l save -r -F -d 'save all matches'
complete -c pidmem -n "$seen find" -l in -r -F -d 'look at the places of saved matches alone'
complete -c pidmem -n "$seen find" -l force -d 'replace a file that exists'
complete -c pidmem -n "$seen dump" -s o -l output -r -F -d 'the file to write'
complete -c pidmem -n "$seen dump" -l split -x -a '(__fish_complete_directories)' -d 'a file per region, in this directory'
complete -c pidmem -n "$seen dump" -l force -d 'replace an output that exists'
complete -c pidmem -n "$seen core" -s o -l output -r -F -d 'the file to write'
complete -c pidmem -n "$seen gcore" -s o -l output -r -F -d 'what the names of the files begin with'
complete -c pidmem -n "$seen core gcore" -s a -l all -d 'everything that can be read'
complete -c pidmem -n "$seen core gcore" -l force -d 'replace files that exist'
complete -c pidmem -n "$seen core" -l filter -x -d 'which kinds of regions, as in coredump_filter'
complete -c pidmem -n "$seen core" -l tree -d 'all descendants as well'
complete -c pidmem -n "$seen core dump" -l shared -x -a 'auto paused after' -d 'when shared memory is read'
complete -c pidmem -n "$seen core dump" -l shared-limit -x -d 'the limit of --shared=auto'
complete -c pidmem -n "$seen core dump" -l engine -x -a 'auto precopy clone' -d 'how a snapshot is made'
complete -c pidmem -n "$seen core dump" -l max-pause -x -d 'how long it may stand still'
complete -c pidmem -n "$seen core dump" -s z -l zstd -d 'compress, by zstd'
complete -c pidmem -n "$seen core dump" -l max-size -x -d 'write no more than this'
complete -c pidmem -n "$seen core dump" -l max-time -x -d 'take no longer than this'
complete -c pidmem -n "$seen core dump" -l partial -d 'at a limit keep what there is'
complete -c pidmem -n "$seen core dump" -l rate -x -d 'MiB a second to be read at most'
complete -c pidmem -n "$seen core dump" -l nice -d 'use only what nobody else wants'
complete -c pidmem -n "$seen report" -s o -l output -r -F -d 'the page to write'
complete -c pidmem -n "$seen report" -l no-bytes -d 'leave all bytes of the memory out'
complete -c pidmem -n "$seen report" -l force -d 'replace an output that exists'
