#!/usr/bin/env bash
# stage_gpu.sh FOLDER: a stripped build with its GPU tests, to carry to a machine with a GPU. It mirrors the repository, so that
# the tests find everything where they find it here; ./run in it runs them and makes the zoo models there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
stage=$1
most_bytes=60000000
models="rapidocr_onnxruntime/models silero_vad/data/silero_vad.onnx magika/models/standard_v3_3/model.onnx"

rm -rf "$stage"
mkdir -p "$stage/build/bin" "$stage/build/lib" "$stage/build/data"
for program in build/bin/burnish build/bin/*_gpu_test build/lib/*.so build/lib/burnish-nvrtc; do
  [ ! -e "$program" ] || strip -o "$stage/$program" "$program"
done
ln -s burnish "$stage/build/bin/trtexec"
# Libraries that a bare machine may lack travel too; libc, libm, libstdc++ and libgcc_s are everywhere.
for library in $(ldd "$stage"/build/bin/* "$stage"/build/lib/* | awk '$3 ~ /^\// { print $3 }' | sort -u); do
  case $(basename "$library") in
    libc.so.* | libm.so.* | libstdc++.so.* | libgcc_s.so.* | libburnish_*) ;;
    *) cp -L "$library" "$stage/build/lib/" ;;
  esac
done
for model in $models; do
  mkdir -p "$stage/build/data/$(dirname "$model")"
  cp -r "build/data/$model" "$stage/build/data/$model"
done
.venv/bin/python tests/conformance/node_tests.py "$stage/build/data/node_tests.zip.xz"
mkdir -p "$stage/build/testing"
cp -r build/testing/plugins "$stage/build/testing/"
cp -r --parents bench python tests/plugins tests/trtexec tests/models tests/conformance tests/demo docs/performance.md tools/test_models.py tools/bench.py \
  tools/bench_levels.py "$stage"
cp -r --parents -t "$stage" .venv/lib/python3*/site-packages/polygraphy
mv "$stage"/.venv/lib/python3*/site-packages "$stage/build/site" && rm -r "$stage/.venv" "$stage/build/site/polygraphy/tools"  # its commands
git describe --always --dirty=+ >"$stage/commit" 2>/dev/null || echo unknown >"$stage/commit"
find "$stage" -name __pycache__ -prune -exec rm -rf {} +
find "$stage/bench/results" -name '20*' -delete  # of earlier days
tar cJf "$stage/bench/zoo/skeletons.tar.xz" -C "$stage/bench/zoo" skeletons && rm -r "$stage/bench/zoo/skeletons"

cat >"$stage/run" <<'RUN'
#!/usr/bin/env bash
# ./run [pytest options]: the GPU tests, ONNX's node tests, then every model on GPU 0 against ONNX Runtime. Say -k resnet50 for
# one model.
# ./run conformance [pytest options]: ONNX's node tests alone.
# ./run bench [options of ./dev bench]: timings, into bench/results/h200.json and docs/performance.md of this folder, from where they
# are carried back. ./run levels [options]: what timing kernels costs and brings.
# ./run demo: reads a picture. ./run trtexec [pytest options]: that command line on GPU 0.
# ./run plugins: operators of plugins on GPU 0.
# ./run python: the Python package on GPU 0, with polygraphy; needs onnx, onnxruntime and pytest, and tests with what there is of
# cuda-python, torch and CuPy.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export LD_LIBRARY_PATH=$PWD/build/lib
[ -e bench/zoo/skeletons ] || tar xJf bench/zoo/skeletons.tar.xz -C bench/zoo
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader || exit 1
case ${1:-} in
  bench) shift; exec python3 tools/bench.py "$@" ;;
  levels) shift; exec python3 tools/bench_levels.py "$@" ;;
  demo) shift; exec python3 tests/demo/read_picture.py "$@" ;;
  trtexec) shift; exec python3 -m pytest -q -p no:cacheprovider tests/trtexec -k "on_a_gpu" "$@" ;;
  plugins) shift; exec python3 -m pytest -q -p no:cacheprovider tests/plugins --device 0 -k "on_a_gpu" "$@" ;;
  python) shift; PYTHONPATH=build/site exec python3 -m pytest -q -p no:cacheprovider -m gpu python/tests "$@" ;;
  conformance) shift; exec python3 -m pytest -q -p no:cacheprovider tests/conformance --device 0 "$@" ;;
esac
status=0 chosen=
for program in build/bin/*_gpu_test; do
  [ ! -e "$program" ] || "$program" --gtest_brief=1 || status=1
done
[ $# -gt 0 ] || python3 -m pytest -q -p no:cacheprovider tests/plugins --device 0 -k on_a_gpu || status=1
parallel=()  # by model, where pytest-xdist is there
! python3 -c 'import xdist' 2>/dev/null || parallel=(-n 8 --dist loadgroup)
for tests in conformance models; do
  if [ $tests = models ]; then
    [ ${#parallel[@]} -eq 0 ] || python3 tools/test_models.py zoo  # once, before several processes want them
    set -- "${parallel[@]}" "$@"
  fi
  python3 -m pytest -q -p no:cacheprovider tests/$tests --device 0 "$@"
  case $? in
    5) ;;  # the options choose no test of this folder
    0) chosen=yes ;;
    *) chosen=yes status=1 ;;
  esac
done
[ -n "$chosen" ] || { echo "No test is chosen by: $*"; status=1; } >&2
exit $status
RUN
chmod +x "$stage/run"

size=$(du -sb "$stage" | cut -f1)
echo "$stage: $((size / 1000000)) MB"
[ "$size" -le $most_bytes ] || { echo "$stage is over $((most_bytes / 1000000)) MB; largest files:"; find "$stage" -type f -size +1M -exec du -k {} + | sort -rn | head; exit 1; } >&2
