# Sourced by the benchmarks against PyTorch, after requirements.sh.

python=.build-bench-pytorch/bin/python # a throw-away environment

# build_for_bench: makes $bin/lkdist and, unless it is there, the environment of $python.
build_for_bench() {
  require_swift
  install_packages $build_packages python3-venv
  if ! [ -x "$python" ]; then
    python3 -m venv "${python%/bin/python}"
    "$python" -m pip install --quiet torch numpy
  fi
  swift build "${build_options[@]}" --product lkdist
  bin=$(swift build "${build_options[@]}" --show-bin-path)
  allow_mpi_as_root
}
