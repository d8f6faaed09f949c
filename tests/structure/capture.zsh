#!/bin/zsh -f
# SPDX-License-Identifier: LGPL-2.1-or-later
# What zsh would offer: capture.zsh DIRECTORY-OF-_pidmem LINE prints the candidates, one a line, with what is said of
# each. LINE is completed by a shell in a pseudo-terminal; where there is one candidate alone, nothing is listed.
zmodload zsh/zpty
zpty z zsh -f -i
() {
	zpty -w z "source $1"
	repeat 8; do
		zpty -r z line
		[[ $line == *READY* ]] && break
	done
} =( <<<"
PROMPT=
setopt nobeep
# List at once, also when all candidates begin alike, as PIDs can: else zsh only puts in what they share.
unsetopt list_ambiguous
fpath=($1 \$fpath)
autoload -Uz compinit
compinit -u -D
bindkey '^M' undefined-key
bindkey '^J' undefined-key
bindkey '^I' complete-word
mark() { print -r -- '--mark--' }
compprefuncs=( mark )
comppostfuncs=( mark exit )
zstyle ':completion:*' list-grouped false
zstyle ':completion:*' insert-tab false
zstyle ':completion:*' list-separator '#'
LISTMAX=10000
stty rows 1000 columns 200
print READY" )
zpty -w z "$2"$'\t'
integer marks=0
while zpty -r z line; do
	line=${line%%$'\r'*}
	if [[ $line == *--mark--* ]]; then
		(( ++marks == 2 )) && break
	elif (( marks == 1 )); then
		# without the colours and movements of the terminal
		setopt extendedglob
		line=${line//$'\e'\[[0-9;?]#[a-zA-Z]/}
		[[ -n $line ]] && print -r -- $line
	fi
done
