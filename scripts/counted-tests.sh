# Sourced by the scripts that test from outside: counts tests in $passed and $failed.

passed=0
failed=0

# ok NAME CONDITION: counts one test; if it fails, what `explain` prints and the end of $log are shown.
ok() {
  if eval "$2"; then
    passed=$((passed + 1))
    echo "passed: $1 (${SECONDS} s)"
  else
    failed=$((failed + 1))
    explain
    tail -n 30 "$log" | cut -c1-160 | sed 's/^/    | /'
    echo "FAILED: $1: $2 (${SECONDS} s)"
  fi
}

# explain: what a script prints of a failure besides $log; those with more to say define their own.
explain() { :; }
