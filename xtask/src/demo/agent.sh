#!/bin/sh
# A scripted agent. It reads a prompt, tries the next thing it can think of, and commits it. It has three ideas, and
# when they are used up it comes back to the one it likes; it has a fourth only when it is told to change direction.
set -eu

prompt=$(cat)

try() { # IDEA, then the body of split()
    cat >bill.py <<EOF
"""Split a bill: everybody pays the same, give or take a cent, and no cent is lost."""
${3-}

def split(cents, people):
$2
EOF
    git commit --quiet --all --message "$1"
    echo "$1"
}

case $prompt in
*'change direction'*)
    try 'give the left-over cents to the first' \
        '    share, left = divmod(cents, people)
    return [share + 1] * left + [share] * (people - left)'
    exit ;;
esac

case $(git rev-list --count HEAD) in
1) try 'round the share up' '    return [-(-cents // people)] * people' ;;
2) try 'round the share' '    return [round(cents / people)] * people' ;;
3) try 'divide with Decimal' '    return [int(Decimal(cents) / people)] * people' 'from decimal import Decimal
' ;;
*) try 'round the share' '    return [round(cents / people)] * people' ;;
esac
