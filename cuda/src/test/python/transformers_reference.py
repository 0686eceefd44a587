"""Makes a checkpoint of random weights, and says what transformers computes with it.

    python3 transformers_reference.py llama-2-7b FOLDER
    python3 transformers_reference.py llama-3.1-8b FOLDER [--init llama|scaled] [--seed N] [--layers N]

FOLDER gets the checkpoint (bf16, sharded safetensors) and

    reference.json   the seed, versions, and for each sequence its prompt and the tokens that follow
    bf16.logits      raw little-endian float32 [sequence][step][vocabulary]: step 0 is after the prompt,
                     step i after i of the tokens that follow
    f32.logits       the same with weights and arithmetic in float32, no TF32

for TransformersAgreementTest. Weights, prompts and tokens are drawn anew each time. With --init llama all weights have
the standard deviation 0.02, as transformers begins a Llama: each layer adds as much to the residual stream as all before
it, and rounding errors grow from layer to layer. With --init scaled, the default, embeddings have 1, and what is added to
the residual stream is divided by sqrt(2 * layers), as GPT-2 and Megatron begin. Needs a GPU with
40 GB (7B) or 50 GB (8B) free, torch, transformers, safetensors.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy
import torch
import transformers
from torch.nn.attention import SDPBackend, sdpa_kernel

LLAMA = dict(
    hidden_size=4096,
    num_hidden_layers=32,
    num_attention_heads=32,
    head_dim=128,
    rms_norm_eps=1e-5,
    tie_word_embeddings=False,
)
SHAPES = {
    "llama-2-7b": dict(
        LLAMA,
        intermediate_size=11008,
        num_key_value_heads=32,
        vocab_size=32000,
        max_position_embeddings=4096,
        rope_parameters=dict(rope_type="default", rope_theta=10000.0),
    ),
    "llama-3.1-8b": dict(
        LLAMA,
        intermediate_size=14336,
        num_key_value_heads=8,
        vocab_size=128256,
        max_position_embeddings=131072,
        rope_parameters=dict(
            rope_type="llama3",
            rope_theta=500000.0,
            factor=8.0,
            low_freq_factor=1.0,
            high_freq_factor=4.0,
            original_max_position_embeddings=8192,
        ),
    ),
}

# Sequences that transformers computes as one batch, and tokens of their prompts.
GROUPS = ((1, 17), (1, 300), (1, 1000), (8, 40))
DECODES = 6


def random_model(config, init, generator):
    with torch.device("cuda"):
        model = transformers.AutoModelForCausalLM.from_config(
            config, dtype=torch.bfloat16, attn_implementation="sdpa"
        )
    for name, parameter in model.named_parameters():
        deviation = config.initializer_range
        if init == "scaled" and "embed_tokens" in name:
            deviation = 1.0
        if init == "scaled" and ("o_proj" in name or "down_proj" in name):
            deviation /= math.sqrt(2 * config.num_hidden_layers)
        if "norm" in name:
            parameter.data.normal_(1, 0.1, generator=generator)
        else:
            parameter.data.normal_(0, deviation, generator=generator)
    frequencies = model.model.rotary_emb.inv_freq
    if frequencies.dtype != torch.float32:
        raise SystemExit(f"rotary frequencies are {frequencies.dtype}, expected float32")
    return model.eval()


@torch.inference_mode()
def logits(model, prompts, following):
    """Logits after the prompts and after each token that follows, [sequence][step][vocabulary]."""
    answer = model(input_ids=prompts, use_cache=True, logits_to_keep=1)
    steps = [answer.logits[:, -1].float()]
    for i in range(following.shape[1]):
        answer = model(
            input_ids=following[:, i : i + 1],
            past_key_values=answer.past_key_values,
            use_cache=True,
            logits_to_keep=1,
        )
        steps.append(answer.logits[:, -1].float())
    return torch.stack(steps, 1)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("shape", choices=SHAPES)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--seed", type=int, default=time.time_ns() % 2**48, help="default: from the clock")
    arguments.add_argument("--init", choices=("scaled", "llama"), default="scaled")
    arguments.add_argument("--layers", type=int, help="fewer layers, to try this out")
    given = arguments.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")
    begin = time.perf_counter()

    def say(what):
        print(f"{time.perf_counter() - begin:6.1f} s  {given.shape}: {what}", flush=True)

    versions = dict(
        gpu=torch.cuda.get_device_name(), torch=torch.__version__, transformers=transformers.__version__
    )
    say(f"seed {given.seed}, init {given.init}, {versions}")
    config = transformers.LlamaConfig(**SHAPES[given.shape])
    if given.layers:
        config.num_hidden_layers = given.layers
    generator = torch.Generator("cuda").manual_seed(given.seed)
    model = random_model(config, given.init, generator)

    def tokens(rows, columns):
        return torch.randint(config.vocab_size, (rows, columns), device="cuda", generator=generator)

    groups = [(tokens(rows, prompt), tokens(rows, DECODES)) for rows, prompt in GROUPS]
    narrow = [logits(model, *group) for group in groups]
    say("bf16 done")
    given.folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(given.folder, max_shard_size="5GB")
    say("saved")
    model.float()
    with sdpa_kernel(SDPBackend.MATH):
        wide = [logits(model, *group) for group in groups]
    for name, all_logits in (("bf16", narrow), ("f32", wide)):
        with open(given.folder / f"{name}.logits", "wb") as file:
            for group in all_logits:
                group.cpu().numpy().astype(numpy.dtype("<f4")).tofile(file)
    sequences = [
        dict(prompt=prompt.tolist(), following=following.tolist())
        for group in groups
        for prompt, following in zip(*group)
    ]
    reference = dict(seed=given.seed, init=given.init, **versions, vocabulary=config.vocab_size, sequences=sequences)
    (given.folder / "reference.json").write_text(json.dumps(reference))
    expected = torch.cat([group.flatten(0, 1) for group in wide])
    difference = torch.cat([group.flatten(0, 1) for group in narrow]) - expected
    if not torch.isfinite(expected).all():
        raise SystemExit("logits are not finite")
    say(
        f"f32 done; logits' standard deviation {expected.std():.3f}, largest {expected.abs().max():.2f};"
        f" bf16 is {difference.norm() / expected.norm():.5f} off"
    )


if __name__ == "__main__":
    main()
