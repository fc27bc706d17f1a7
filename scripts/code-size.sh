#!/usr/bin/env bash
# Prints how long the files and functions are, against the budget that keeps the code readable.
# A breach is a question for review, not an error.
cd "$(dirname "$0")/.."
python3 - <<'PYTHON'
import pathlib, re, statistics

def function_lengths(lines, opening, closing):
    lengths = []
    for start, line in enumerate(lines):
        match = opening.match(line)
        if not match or line.rstrip().endswith("}"):
            continue
        end = next((i for i in range(start + 1, len(lines)) if lines[i].startswith(closing(match))), start)
        lengths.append((end - start + 1, start + 1))
    return lengths

def report(name, files, opening, closing, budget):
    sizes, functions = [], []
    for path in files:
        lines = path.read_text().splitlines()
        sizes.append((len(lines), path))
        functions += [(n, f"{path}:{at}") for n, at in function_lengths(lines, opening, closing)]
    if not sizes:
        return
    lengths = sorted(n for n, _ in functions) or [0]
    p90 = lengths[int(0.9 * (len(lengths) - 1))]
    print(f"{name}: {len(sizes)} files, {sum(n for n, _ in sizes)} lines, file median "
          f"{statistics.median(n for n, _ in sizes):.0f} max {max(sizes)[0]}; function median "
          f"{statistics.median(lengths):.0f} 90% {p90} max {lengths[-1]}")
    for n, path in sizes:
        if n > budget["file"]:
            print(f"  over {budget['file']} lines: {path} ({n})")
    for n, where in functions:
        if n > budget["function"]:
            print(f"  over {budget['function']} lines: {where} ({n})")

swift = [p for p in sorted(pathlib.Path("Sources").rglob("*.swift")) if "Generated" not in p.parts]
c = [p for d in ("Sources/CKernels", "CMPI") for p in sorted(pathlib.Path(d).rglob("*.[ch]"))]
report("Swift", swift, re.compile(r"( *)(?:[@\w()]+ )*(?:func|init)\b.*\{$"), lambda m: m[1] + "}", {"file": 350, "function": 60})
report("C", c, re.compile(r"()\w[\w \*]*\(.*\) ?\{$"), lambda m: "}", {"file": 300, "function": 80})
PYTHON
