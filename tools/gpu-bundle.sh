#!/usr/bin/env bash
# Packs what a GPU machine without a JDK and Maven needs: a Java runtime, the program, and the tests that need a GPU.
#
#   tools/gpu-bundle.sh FOLDER          writes FOLDER/fusespill-gpu.tar.xz
#   tools/gpu-bundle.sh FOLDER --open   and leaves it unpacked in FOLDER/fusespill-gpu
#
# On the GPU machine, Linux on x86-64 with a C library of version 2.34 or newer (the tokenizers'):
#
#   tar xf fusespill-gpu.tar.xz
#   fusespill-gpu/fusespill devices
#   fusespill-gpu/gpu-tests             with options for JUnit's console, for example --include-classname '.*Device.*'
#
# Left out, to keep it small: DuckDB, so no sweep and no Parquet there; native code for other systems.
set -euo pipefail

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
if [[ $# -lt 1 || $# -gt 2 || ($# -eq 2 && $2 != --open) ]]; then
  sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
mkdir -p "$1"
target=$(cd "$1" && pwd -P)
bundle=$target/fusespill-gpu

# Modules whose tests with the tag gpu go along.
tested=(cuda live)
# java.desktop is the figures'; java.sql and java.xml libraries ask for.
runtime=java.base,java.desktop,java.logging,java.management,java.naming,java.net.http,java.sql,java.xml
runtime+=,jdk.incubator.vector,jdk.management,jdk.unsupported

if [[ ! -x ${JAVA_HOME:-}/bin/jlink ]]; then
  echo "gpu-bundle.sh: JAVA_HOME is '${JAVA_HOME:-}', which has no bin/jlink: set it to a JDK 25" >&2
  exit 2
fi
for program in xz zip; do
  command -v "$program" >/dev/null || { echo "gpu-bundle.sh: $program is not on the PATH" >&2; exit 2; }
done

rm -rf "$bundle"
mkdir -p "$bundle"
cd "$home"
maven=(./mvnw -q -B -ntp -Dquick)
"${maven[@]}" -pl cli -am package
"${maven[@]}" -Dmaven.test.skip=false -DskipTests -pl "$(IFS=,; echo "${tested[*]}")" -am package \
  dependency:copy-dependencies -DincludeScope=test -DoutputDirectory="$bundle/test-lib"
junit=$(sed -n 's:.*<junit.version>5\.\(.*\)</junit.version>.*:1.\1:p' pom.xml)
"${maven[@]}" -N dependency:copy -Dartifact="org.junit.platform:junit-platform-console-standalone:$junit" \
  -DoutputDirectory="$bundle/test-lib"

cp -r cli/target/launcher/lib "$bundle/lib"
rm -f "$bundle"/lib/duckdb_jdbc-*
for jar in "$bundle"/lib/tokenizers-*.jar; do
  zip -q -d "$jar" 'native/lib/osx-*' 'native/lib/win-*' 'native/lib/linux-aarch64/*'
done
for jar in "$bundle"/lib/jcuda-natives-*.jar; do
  zip -q -d "$jar" '*JNvPTXCompiler*' '*JNvrtc*' '*JCudaRuntime*'
done
# The console brings all of JUnit; rules of the house and proxies need no GPU.
for jar in "$bundle"/test-lib/*.jar; do
  name=$(basename "$jar")
  case $name in
    junit-platform-console-standalone-*) ;;
    junit-* | opentest4j-* | apiguardian-* | archunit-* | byte-buddy-* | fusespill-*) rm "$jar" ;;
    *) [[ ! -e $bundle/lib/$name && $name != duckdb_jdbc-* ]] || rm "$jar" ;;
  esac
done
for module in "${tested[@]}"; do
  mkdir -p "$bundle/tests"
  cp -r "$module/target/launcher/test-classes/." "$bundle/tests/"
done
cp -r host/src/test/resources/golden/models "$bundle/models"
cp config/jvm.flags config/vector.flags "$bundle/"
"$JAVA_HOME/bin/jlink" --add-modules "$runtime" --strip-debug --no-header-files --no-man-pages --output "$bundle/jre"

cat >"$bundle/fusespill" <<'SCRIPT'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd -P)
exec "$here/jre/bin/java" "@$here/jvm.flags" "@$here/vector.flags" -XX:+UseParallelGC ${FUSESPILL_JAVA_OPTS:-} \
  -cp "$here/lib/*" io.fusespill.cli.FuseSpill "$@"
SCRIPT
cat >"$bundle/gpu-tests" <<'SCRIPT'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd -P)
exec "$here/jre/bin/java" "@$here/jvm.flags" "@$here/vector.flags" "-Dgolden.models=$here/models" \
  ${FUSESPILL_JAVA_OPTS:-} -cp "$here/tests:$here/lib/*:$here/test-lib/*" org.junit.platform.console.ConsoleLauncher execute \
  --disable-banner --scan-class-path "$here/tests" --include-tag gpu --fail-if-no-tests "$@"
SCRIPT
chmod +x "$bundle/fusespill" "$bundle/gpu-tests"

tar -C "$target" -c fusespill-gpu | xz -T0 -6 >"$target/fusespill-gpu.tar.xz"
[[ ${2:-} = --open ]] || rm -rf "$bundle"
du -h "$target/fusespill-gpu.tar.xz"
