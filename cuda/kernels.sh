#!/bin/sh
# Compiles the CUDA kernels of src/main/cuda into one fatbin, the resource that the Java side loads.
#
#   ./kernels.sh            builds kernels.fatbin and kernels.sources beside it
#   ./kernels.sh -v         and prints registers, shared memory, stack and spills of each kernel
#
# Needs nvcc 12.8 or newer (NVCC, or on the PATH); no GPU. Machine code is for compute capability
# 8.0, 8.6, 8.9 and 9.0 (9.0a: with the instructions that 9.0 alone has); newer GPUs get the PTX of 8.0,
# which their driver compiles.
set -eu

cd "$(dirname "$0")"
nvcc=${NVCC:-$(command -v nvcc || true)}
if [ -z "$nvcc" ]; then
  echo "kernels.sh: nvcc is not on the PATH; install the CUDA toolkit or set NVCC to its nvcc" >&2
  exit 2
fi
# The toolkit's other programs are beside nvcc; what is on the PATH may be a script that starts it.
tools=$(LC_ALL=C "$nvcc" --dryrun -E -x cu /dev/null 2>&1 | sed -n 's/^#\$ _HERE_=//p')
report=
[ "${1:-}" = -v ] && report=-v

sources=src/main/cuda
target=src/main/resources/io/fusespill/cuda/kernel
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$target"

# One PTX module of all files, so that the fatbin holds one module for each GPU. Kernels do not call
# from file to file, so the texts can stand one after another.
for virtual in 80 90a; do
  for file in "$sources"/*.cu; do
    echo "$nvcc -std=c++17 -O3 -arch=compute_$virtual -ptx" \
      "-o $work/$virtual.$(basename "$file" .cu).part $file"
  done
done | xargs -P 2 -I{} sh -c '{}'
for virtual in 80 90a; do
  set -- "$work/$virtual".*.part
  grep -h -m 1 '^\.version' "$1" >"$work/$virtual.ptx"
  grep -h -m 1 '^\.target' "$1" >>"$work/$virtual.ptx"
  grep -h -m 1 '^\.address_size' "$1" >>"$work/$virtual.ptx"
  grep -hvE '^\.(version|target|address_size)' "$@" >>"$work/$virtual.ptx"
done

for real in 80 86 89 90a; do
  virtual=80
  [ "$real" = 90a ] && virtual=90a
  echo "'$tools/ptxas' -arch=sm_$real $report -o $work/$real.cubin $work/$virtual.ptx" \
    "2>$work/$real.report || { cat $work/$real.report >&2; exit 255; }"
done | xargs -P 2 -I{} sh -c '{}'
[ -z "$report" ] || for real in 80 86 89 90a; do
  echo "sm_$real"
  sed -n "s/.*entry function '\(.*\)' for.*/\1/p; s/.*Used/  Used/p; /spill/p" "$work/$real.report"
done

"$tools/fatbinary" -64 --compress-all --create="$work/kernels.fatbin" \
  --image3=kind=elf,sm=80,file="$work/80.cubin" \
  --image3=kind=elf,sm=86,file="$work/86.cubin" \
  --image3=kind=elf,sm=89,file="$work/89.cubin" \
  --image3=kind=elf,sm=90a,file="$work/90a.cubin" \
  --image3=kind=ptx,sm=80,file="$work/80.ptx"
mv "$work/kernels.fatbin" "$target/kernels.fatbin"

# Tells whether the fatbin is of these sources, without a compiler.
{
  (cd "$sources" && LC_ALL=C sha256sum -- *.cu *.cuh)
  "$nvcc" --version | sed -n 's/.*release.*, V/nvcc /p'
} >"$target/kernels.sources"
