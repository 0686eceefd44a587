"""Output tokens a second of transformers' continuous batching, the baseline of docs/measurements/gpu-agreement.md.

    python3 generate_batch.py REQUESTS.csv [--block-tokens 256] [--batch-tokens 512] [--kv-gib 9] [--seconds 100]

REQUESTS.csv has the columns prompt_len and output_len. The shape of Vicuna 7B with random weights in bf16, random prompts,
greedy, no end of sequence, sdpa: what `model.generate_batch` does, but each request has its own number of output tokens.
Warming up (its CUDA graphs) is not counted. Stops after SECONDS and then counts what there is.
"""

import argparse
import csv
import os
import time

import torch
import transformers
from transformers import GenerationConfig
from transformers.generation.configuration_utils import ContinuousBatchingConfig
from transformers.generation.continuous_batching.utils import WorkloadHints


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("requests")
    arguments.add_argument("--block-tokens", type=int, default=256)
    arguments.add_argument("--batch-tokens", type=int, default=512)
    arguments.add_argument("--kv-gib", type=float, default=9)
    arguments.add_argument("--seconds", type=float, default=100)
    given = arguments.parse_args()
    begin = time.perf_counter()

    def say(what):
        print(f"{time.perf_counter() - begin:6.1f} s  {what}", flush=True)

    say(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, transformers {transformers.__version__}")
    config = transformers.LlamaConfig(
        vocab_size=32000, hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32,
        num_key_value_heads=32, max_position_embeddings=4096, rms_norm_eps=1e-5, eos_token_id=None,
    )
    torch.manual_seed(time.time_ns() % 2**48)
    with torch.device("cuda"):
        model = transformers.AutoModelForCausalLM.from_config(
            config, dtype=torch.bfloat16, attn_implementation="sdpa"
        ).eval()
    with open(given.requests) as file:
        requests = [(int(row["prompt_len"]), int(row["output_len"])) for row in csv.DictReader(file)]
    say(f"{len(requests)} requests, {sum(p for p, _ in requests)} prompt and {sum(o for _, o in requests)} output tokens")

    kv_bytes_a_token = 2 * 2 * config.num_hidden_layers * config.hidden_size
    blocks = int(given.kv_gib * 2**30) // (kv_bytes_a_token * given.block_tokens)
    options = dict(block_size=given.block_tokens, num_blocks=blocks, max_batch_tokens=given.batch_tokens)
    generation = GenerationConfig(do_sample=False, max_new_tokens=4096, eos_token_id=-1, pad_token_id=0)
    hints = WorkloadHints(
        max_prompt_length=max(p for p, _ in requests), max_generated_length=max(o for _, o in requests)
    )
    context = model.continuous_batching_context_manager(
        generation_config=generation,
        continuous_batching_config=ContinuousBatchingConfig(**options),
        workload_hints=hints,
        timeout=5,
    )
    outputs = 0
    finished = 0
    with context as manager:
        cache = manager.batch_processor.cache
        held = sum(t.numel() * t.element_size() for t in list(cache.key_cache) + list(cache.value_cache))
        say(f"warm: {cache.num_blocks} blocks of {cache.block_size} tokens, {held / 2**30:.2f} GiB of KV")
        print(manager.continuous_batching_config)
        prompts = [torch.randint(config.vocab_size, (prompt,)).tolist() for prompt, _ in requests]
        start = time.perf_counter()
        for i, (prompt, (_, output)) in enumerate(zip(prompts, requests)):
            manager.add_request(input_ids=prompt, request_id=f"r{i}", max_new_tokens=output, eos_token_id=-1)
        took = 0.0
        while finished < len(requests) and time.perf_counter() - start < given.seconds and manager.is_running():
            result = manager.get_result(timeout=1)
            if result is not None and result.is_finished():
                finished += 1
                outputs += len(result.generated_tokens)
                took = time.perf_counter() - start
        if finished < len(requests):
            took = time.perf_counter() - start
            active = list(manager.batch_processor.scheduler.active_requests.values())
            unfinished = sum(len(state.to_generation_output().generated_tokens) for state in active)
            say(f"stopped with {len(active)} requests at work, which have {unfinished} output tokens")
            outputs += unfinished
        say(
            f"{finished} of {len(requests)} requests, {outputs} output tokens in {took:.2f} s:"
            f" {outputs / took:.1f} output tokens/s"
        )
        if finished < len(requests):
            os._exit(3)  # its thread would go on to the end of all requests


if __name__ == "__main__":
    main()
