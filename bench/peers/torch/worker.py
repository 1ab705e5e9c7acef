"""PyTorch's side of a measurement: worker.py NAME MEASURE FILE THREADS [compile]. The protocol is bench/harness/worker.ts's."""

import json
import re
import resource
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

import models
import ops

name, measure, file, threads = sys.argv[1:5]
compiled = "compile" in sys.argv[5:]
torch.set_num_threads(int(threads))


def answer(**line):
    print(json.dumps(line), flush=True)


def classes_loss(logits, target, **options):
    return F.cross_entropy(logits.flatten(0, -2), target.flatten(), **options)


# fused is the fastest of Adam's implementations, foreach of SGD's.
def adam(model, lr):
    return torch.optim.Adam(model.parameters(), lr, fused=True)


def adamw(model, lr, weight_decay):
    return torch.optim.AdamW(model.parameters(), lr, weight_decay=weight_decay, fused=True)


def workload():
    """Model, input and target names, loss, optimizer, norm that gradients are clipped to."""
    if name.startswith("transformer-lm"):
        model = models.TransformerLm()
        return model, "ids", "next", classes_loss, adam(model, 1e-3), None
    if name.startswith(("bert", "fnet")):
        model = models.Encoder(int(name.split("-")[1]), name.startswith("bert"))
        return model, "ids", "original", classes_loss, adamw(model, 1e-4, 0.01), None
    if name.startswith("mixer"):
        small = name == "mixer-mnist"
        model = models.Mixer(28, 7, 1, 96, 4, 48, 192, 10) if small else models.Mixer(64, 8, 3, 512, 8, 256, 2048, 100)
        loss = lambda logits, target: F.cross_entropy(logits, target, label_smoothing=0.05)
        return model, "image", "label", loss, adamw(model, 1e-3, 0.05), 1.0 if small else None
    if name == "perceiver":
        model = models.Perceiver()
        return model, "image", "label", F.cross_entropy, adam(model, 1e-3), None
    if name == "clip":
        model = models.Clip()
        return model, "image", "tokens", model.loss, adamw(model, 1e-3, 0.2), None
    if name.endswith("frozen-gpt2"):
        model = models.FrozenGPT2(name == "frozen-gpt2")
        return model, "x", "label", F.cross_entropy, adam(model, 1e-3), 1.0
    if name == "guided-unet-28":
        model = models.GuidedUNet()
        return model, "image", "noise", F.mse_loss, adam(model, 1e-3), None
    if name == "expire-span":
        model = models.ExpireSpan()
        loss = lambda found, target: F.nll_loss(found[0].flatten(0, 1), target.flatten()) + found[1]
        return model, "ids", "next", loss, adam(model, 1e-3), None
    if name.startswith("unet"):
        model = models.UNet()
        return model, "image", "noise", F.mse_loss, adam(model, 1e-3), None
    if name == "resnet18-64":
        model = models.ResNet()
        sgd = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, foreach=True)
        return model, "image", "label", F.cross_entropy, sgd, None
    if name == "simclr":
        model = models.SimCLR()
        return model, "image", "label", models.nt_xent, adam(model, 1e-3), None
    if name.startswith("involution"):
        model = models.Involution(int(name.split("-")[1]))
        return model, "shift", "wanted", F.mse_loss, torch.optim.SGD(model.parameters(), 0.01, foreach=True), None
    if name.startswith(("convolution", "depthwise", "localattention", "fullattention")):
        model = models.Neighbourhood(*name.split("-"))
        return model, "shift", "wanted", F.mse_loss, torch.optim.SGD(model.parameters(), 0.01, foreach=True), None
    if name.startswith(("stft", "mel", "rfft")):
        model = models.Waves(*name.split("-"))
        return model, "shift", "wanted", F.mse_loss, torch.optim.SGD(model.parameters(), 0.01, foreach=True), None
    if name.startswith("op-"):
        model = ops.Op(name[len("op-") :])
        return model, "shift", "wanted", F.mse_loss, torch.optim.SGD(model.parameters(), 0.01, foreach=True), None
    raise SystemExit(f"no model for {name}")


# Vocabulary, width, layers, heads.
GPT2_SIZES = {"gpt2-small": (8000, 384, 6, 6), "gpt2-124m": (50257, 768, 12, 12)}
TEXT_TOKENS = 256


def decode_step():
    """The likeliest token follows, with a cache; the number is its logit."""
    model = models.GPT2(*GPT2_SIZES[name]).eval()
    tensors = load_file(file)
    model.load_state_dict({key[len("weights.") :]: value for key, value in tensors.items() if key.startswith("weights.")})
    forward = torch.compile(model, dynamic=True) if compiled else model
    prompt = tensors["batch.ids"]
    state = {"past": TEXT_TOKENS}

    @torch.inference_mode()
    def step():
        if state["past"] >= TEXT_TOKENS:
            caches = model.new_caches(TEXT_TOKENS)
            state.update(caches=caches, past=prompt.shape[1], logits=forward(prompt, caches, 0))
        largest, token = state["logits"].max(-1, keepdim=True)
        state["logits"] = forward(token, state["caches"], state["past"])
        state["past"] += 1
        return largest.item()

    return step


def product_step():
    size = int(name.split("-")[1])
    a, b, c = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)

    def step():
        torch.mm(a, b, out=c)
        return 0.0

    return step


def model_step():
    model, given, wanted, loss_of, optimizer, clip = workload()
    tensors = load_file(file)
    weights = {key[len("weights.") :]: value for key, value in tensors.items() if key.startswith("weights.")}
    weights = {re.sub(r"^hidden\.", "hidden_", key): value for key, value in weights.items()}
    absent = model.load_state_dict(weights, strict=False)
    left = [key for key in absent.missing_keys if not key.endswith("num_batches_tracked")] + absent.unexpected_keys
    if left:
        raise SystemExit(f"weights do not fit: {left}")
    x, y = tensors[f"batch.{given}"], tensors[f"batch.{wanted}"]
    forward = torch.compile(model) if compiled else model
    if measure == "infer":
        model.eval()

        def infer():
            with torch.inference_mode():
                forward(x)
            return 0.0

        return infer

    def train():
        optimizer.zero_grad()
        loss = loss_of(forward(x), y)
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip, foreach=True)
        optimizer.step()
        return loss.item()

    return train


step = {"product": product_step, "decode": decode_step}.get(measure, model_step)()
losses = [step()]
answer(started=True)
losses += [step(), step()]
answer(losses=losses)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    answer(times=times, peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
