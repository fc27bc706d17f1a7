# Sourced by the other scripts: what lkdist needs on a Debian or Ubuntu machine, and how to get it.

build_packages="libopenmpi-dev openmpi-bin libopenblas-dev libnifti-dev libpng-dev libssl-dev pkg-config"

# Ends the script with advice if no Swift compiler is to be found.
require_swift() {
  if ! command -v swift > /dev/null; then
    cat >&2 <<'ADVICE'
lkdist is written in Swift (6.2 or newer) and no `swift` is on the PATH. Get it with swiftly:
  curl -O https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz
  tar zxf swiftly-$(uname -m).tar.gz && ./swiftly init
then open a new shell and run this script again. See https://www.swift.org/install/linux/
ADVICE
    exit 69
  fi
}

# Installs the named Debian packages that are missing, as root or through sudo.
install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' \
      || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  if ! command -v apt-get > /dev/null; then
    echo "These Debian packages (or your system's counterparts) are needed: ${missing[*]}" >&2
    exit 69
  fi
  echo "Installing with apt: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
}

# Open MPI refuses root unless told otherwise; these machines are containers and test hosts.
allow_mpi_as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
}

# The options every build shares: a module may import only what Package.swift says it may.
build_options=(-c release --explicit-target-dependency-import-check error)

# build_lkdist [PACKAGE...]: installs what is missing, those packages too, builds, and sets $lkdist to the program.
build_lkdist() {
  require_swift
  install_packages $build_packages "$@"
  swift build "${build_options[@]}" --product lkdist
  lkdist=$(swift build "${build_options[@]}" --show-bin-path)/lkdist
  allow_mpi_as_root
}
