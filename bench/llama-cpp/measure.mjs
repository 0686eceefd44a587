// Measures llama.cpp (the CPU binaries that node-llama-cpp brings) on a GGUF file: decode steps of 1, 8 and 32
// sequences with 512 tokens each, and a prompt of 512 tokens. README.md beside this says how to run it.
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const [file, threadsText = "2", roundsText = "3", mostText = "32"] = process.argv.slice(2);
const threads = Number(threadsText);
const rounds = Number(roundsText);
const CONTEXT = 512;
const BATCHES = [1, 8, 32].filter((batch) => batch <= Number(mostText));
const STEPS = 4;

const llama = await getLlama({
  gpu: false,
  build: "never",
  skipDownload: true,
  maxThreads: threads,
  logLevel: LlamaLogLevel.error,
});
const model = await llama.loadModel({modelPath: file, gpuLayers: 0, useMmap: true});
// With one thread CPU time, which other processes lengthen less than wall time.
const cpuSeconds = ({user, system}) => (user + system) / 1e6;
const seconds = () => (threads === 1 ? cpuSeconds(process.cpuUsage()) : Number(process.hrtime.bigint()) / 1e9);
const ids = (seed, count) => Array.from({length: count}, (_, i) => (seed * 1009 + i * 7) % 100_000);

const found = new Map();
const note = (name, tokens, taken) => {
  const list = found.get(name) ?? {tokens, taken: []};
  list.taken.push(taken);
  found.set(name, list);
};
const timed = async (name, tokens, work) => {
  const start = seconds();
  await work();
  note(name, tokens, seconds() - start);
};

const most = BATCHES.at(-1);
const context = await model.createContext({
  contextSize: CONTEXT + STEPS * rounds * BATCHES.length + 16,
  sequences: most,
  batchSize: 512,
  threads,
});
const sequences = Array.from({length: most}, () => context.getSequence());
for (const [i, sequence] of sequences.entries()) {
  await timed(`prompt of ${CONTEXT}`, CONTEXT, () =>
    sequence.evaluateWithoutGeneratingNewTokens(ids(i, CONTEXT)),
  );
}
const decode = (sequence, i) =>
  sequence.controlledEvaluate([[ids(i, 1)[0], {generateNext: {token: true, options: {temperature: 0}}}]]);
for (let round = 0; round < rounds; round++) {
  for (const batch of BATCHES) {
    for (let step = 0; step < STEPS; step++) {
      await timed(`decode, batch ${batch}`, batch, () => Promise.all(sequences.slice(0, batch).map(decode)));
    }
  }
}
for (const [name, {tokens, taken}] of found) {
  const sorted = taken.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  console.log(
    `${name.padEnd(18)} best ${(1e3 * sorted[0]).toFixed(1)} ms, median ${(1e3 * median).toFixed(1)} ms, ` +
      `${(tokens / sorted[0]).toFixed(2)} tokens/s`,
  );
}
process.exit(0);
