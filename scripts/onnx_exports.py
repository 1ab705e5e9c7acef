"""Randomly initialised networks as PyTorch's exporters write them: onnx_exports.py FOLDER. Needs torch, torchvision, transformers, onnx, onnxscript.

Each is NAME.onnx with NAME.safetensors: the inputs (input/...), what PyTorch gives (output/0, ...).
"""

import sys
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
import torchvision
import transformers
from safetensors.torch import save_file
from torch import nn

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)


class UNet(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.GroupNorm(4, width), nn.SiLU())
        self.inner = nn.Sequential(nn.Conv2d(width, 2 * width, 3, 2, 1), nn.BatchNorm2d(2 * width), nn.ReLU())
        self.up = nn.ConvTranspose2d(2 * width, width, 4, 2, 1)
        self.head = nn.Conv2d(2 * width, 3, 1)

    def forward(self, x):
        x = self.down(x)
        return self.head(torch.cat([x, F.interpolate(self.up(self.inner(x)), x.shape[-2:], mode="bilinear")], 1))


class Detector(nn.Module):
    """The parts of a YOLO: SiLU, pyramid pooling, nearest upsampling, boxes from a grid."""

    def __init__(self, width=8, classes=4):
        super().__init__()
        conv = lambda i, o, k, s: nn.Sequential(nn.Conv2d(i, o, k, s, k // 2, bias=False), nn.BatchNorm2d(o), nn.SiLU())
        self.stem, self.low, self.high = conv(3, width, 3, 2), conv(width, 2 * width, 3, 2), conv(2 * width, 4 * width, 3, 2)
        self.mix, self.join = conv(16 * width, 2 * width, 1, 1), conv(4 * width, 2 * width, 3, 1)
        self.head = nn.Conv2d(2 * width, 4 + classes, 1)

    def forward(self, x):
        low = self.low(self.stem(x))
        high = self.high(low)
        pools = [high]
        for _ in range(3):
            pools.append(F.max_pool2d(pools[-1], 5, 1, 2))
        mixed = self.join(torch.cat([F.interpolate(self.mix(torch.cat(pools, 1)), scale_factor=2.0), low], 1))
        y = self.head(mixed)
        n, c, h, w = y.shape
        rows, columns = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
        grid = torch.stack([columns, rows]).float()
        box, scores = y.split([4, c - 4], 1)
        center = (box[:, :2].sigmoid() * 2 - 0.5 + grid) * 4
        return torch.cat([center, box[:, 2:].exp() * 8, scores.sigmoid()], 1).flatten(2).transpose(1, 2)


class Hugging(nn.Module):
    """A network of transformers by its inputs' names; of its results those that are named."""

    def __init__(self, model, names, results):
        super().__init__()
        self.model, self.names, self.results = model, names, results

    def forward(self, *inputs):
        found = self.model(**dict(zip(self.names, inputs)))
        return tuple(found[name] for name in self.results)


def hugging(model, results, **inputs):
    if hasattr(model.config, "use_cache"):
        model.config.use_cache = False
    return Hugging(model.eval(), list(inputs), results).eval(), inputs


STATES = ["last_hidden_state", "pooler_output"]


def networks():
    small = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    ids, image = torch.randint(1, 90, (2, 9)), torch.randn(2, 3, 32, 32)
    mask = torch.ones(2, 9, dtype=torch.int64)
    mask[1, 6:] = 0
    T = transformers
    yield "bert", *hugging(T.BertModel(T.BertConfig(vocab_size=99, **small)), STATES, input_ids=ids, attention_mask=mask)
    gpt2 = T.GPT2Config(vocab_size=99, n_embd=32, n_layer=2, n_head=4, n_positions=32)
    yield "gpt2", *hugging(T.GPT2LMHeadModel(gpt2), ["logits"], input_ids=ids)
    yield "vit", *hugging(T.ViTModel(T.ViTConfig(image_size=32, patch_size=8, **small)), STATES, pixel_values=image)
    text = T.CLIPTextConfig(vocab_size=99, max_position_embeddings=16, projection_dim=16, eos_token_id=2, **small)
    yield "clip-text", *hugging(T.CLIPTextModelWithProjection(text), ["text_embeds"], input_ids=ids)
    vision = T.CLIPVisionConfig(image_size=32, patch_size=8, projection_dim=16, **small)
    yield "clip-vision", *hugging(T.CLIPVisionModelWithProjection(vision), ["image_embeds"], pixel_values=image)
    whisper = T.WhisperConfig(d_model=32, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=64, decoder_layers=1, decoder_attention_heads=4, max_source_positions=20, num_mel_bands=80)
    yield "whisper-encoder", *hugging(T.WhisperModel(whisper).encoder, STATES[:1], input_features=torch.randn(1, 80, 40))
    yield "resnet18", torchvision.models.resnet18(num_classes=10).eval(), {"x": torch.randn(2, 3, 64, 64)}
    yield "mobilenet", torchvision.models.mobilenet_v3_small(num_classes=10).eval(), {"x": torch.randn(2, 3, 64, 64)}
    yield "unet", UNet().eval(), {"x": image}
    yield "detector", Detector().eval(), {"x": torch.randn(2, 3, 64, 64)}


def flat(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [tensor for part in value if part is not None for tensor in flat(part)] if isinstance(value, (list, tuple)) else []


for name, model, inputs in networks():
    with torch.no_grad():
        # Exporters join equal weights: zeros and ones would be trained as one.
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.05 * torch.randn_like(parameter))
        outputs = flat(model(*inputs.values()))
    for exporter in ("dynamo", "script"):
        path = folder / f"{name}-{exporter}.onnx"
        names = list(inputs)
        try:
            axes = {key: {0: "batch"} for key in names} if exporter == "script" else None
            extra = {"dynamo": True, "external_data": False} if exporter == "dynamo" else {"dynamo": False, "dynamic_axes": axes}
            torch.onnx.export(model, tuple(inputs.values()), str(path), input_names=names, opset_version=18, **extra)
        except Exception as error:
            print(f"{path.name}: PyTorch cannot export it: {str(error).splitlines()[0][:120]}")
            continue
        tensors = {f"input/{key}": value.contiguous() for key, value in inputs.items()}
        tensors |= {f"output/{i}": value.contiguous().clone() for i, value in enumerate(outputs)}
        save_file(tensors, str(path.with_suffix(".safetensors")))
