"""The models of bench/workloads in PyTorch, with the same names of parameters."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    """Self-attention with timm's names, computed by PyTorch's fused kernel."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x, causal=False):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self.proj(mixed.transpose(1, 2).reshape(batch, tokens, width))


class MLP(nn.Module):
    def __init__(self, width, hidden, approximate="none"):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)
        self.approximate = approximate

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate=self.approximate))


class DecoderBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = MLP(width, 4 * width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x), causal=True)
        return x + self.mlp(self.norm2(x))


class TransformerLm(nn.Module):
    def __init__(self, tokens=256, width=256, layers=4, heads=4, vocabulary=256):
        super().__init__()
        self.token = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(tokens, width)
        self.blocks = nn.ModuleList(DecoderBlock(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, ids):
        x = self.token(ids) + self.position.weight
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class EncoderBlock(nn.Module):
    def __init__(self, width, heads, attends):
        super().__init__()
        if attends:
            self.attn = Attention(width, heads)
        self.attends = attends
        self.norm1 = nn.LayerNorm(width)
        self.mlp = MLP(width, 4 * width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x):
        mixed = self.attn(x) if self.attends else torch.fft.fft2(x).real
        y = self.norm1(x + mixed)
        return self.norm2(y + self.mlp(y))


class Encoder(nn.Module):
    def __init__(self, tokens, attends, width=256, layers=4, heads=4, vocabulary=1000):
        super().__init__()
        self.token = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(tokens, width)
        self.norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(EncoderBlock(width, heads, attends) for _ in range(layers))
        self.head = nn.Linear(width, vocabulary)

    def forward(self, ids):
        x = self.norm(self.token(ids) + self.position.weight)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class MixerBlock(nn.Module):
    def __init__(self, width, tokens, tokens_mlp, channels_mlp):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.mlp_tokens = MLP(tokens, tokens_mlp, "tanh")
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp_channels = MLP(width, channels_mlp, "tanh")

    def forward(self, x):
        x = x + self.mlp_tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.mlp_channels(self.norm2(x))


class Stem(nn.Module):
    def __init__(self, channels, width, patch):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, image):
        return self.proj(image).flatten(2).transpose(1, 2)


class Mixer(nn.Module):
    def __init__(self, side, patch, channels, width, blocks, tokens_mlp, channels_mlp, classes):
        super().__init__()
        tokens = (side // patch) ** 2
        self.stem = Stem(channels, width, patch)
        self.blocks = nn.ModuleList(MixerBlock(width, tokens, tokens_mlp, channels_mlp) for _ in range(blocks))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, image):
        x = self.stem(image)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


class PerceiverAttention(nn.Module):
    """Names as in transformers' port; `context`: channels of what is read, None: the latents themselves."""

    def __init__(self, width, context, channels, heads):
        super().__init__()
        self.heads = heads
        self.self = nn.Module()
        self.self.layernorm1 = nn.LayerNorm(width)
        self.self.layernorm2 = nn.LayerNorm(context) if context else None
        self.self.query = nn.Linear(width, channels)
        self.self.key = nn.Linear(context or width, channels)
        self.self.value = nn.Linear(context or width, channels)
        self.output = nn.Module()
        self.output.dense = nn.Linear(channels, width)

    def forward(self, x, context=None):
        part = self.self
        latents = part.layernorm1(x)
        read = latents if context is None else part.layernorm2(context)
        split = lambda rows: rows.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q, k, v = split(part.query(latents)), split(part.key(read)), split(part.value(read))
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.output.dense(mixed.transpose(1, 2).flatten(2))


class PerceiverLayer(nn.Module):
    def __init__(self, width, context, channels, heads):
        super().__init__()
        self.attention = PerceiverAttention(width, context, channels, heads)
        self.layernorm = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"dense1": nn.Linear(width, width), "dense2": nn.Linear(width, width)})

    def forward(self, x, context=None):
        y = x + self.attention(x, context)
        hidden = F.gelu(self.mlp["dense1"](self.layernorm(y)), approximate="tanh")
        return y + self.mlp["dense2"](hidden)


class Perceiver(nn.Module):
    """The paper's network: cross attention 1 apart, the others shared; one latent transformer for all."""

    def __init__(self, side=64, bands=16, latents=128, width=256, readings=4, layers=3, heads=8, classes=100):
        super().__init__()
        axis = torch.linspace(-1, 1, side)
        places = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1).flatten(0, 1)
        angles = torch.pi * (places[..., None] * torch.linspace(1, side / 2, bands))
        waves = [places, angles.sin().flatten(1), angles.cos().flatten(1)]
        self.register_buffer("places", torch.cat(waves, 1), persistent=False)
        channels = 3 + self.places.shape[1]
        self.readings = readings
        self.perceiver = nn.Module()
        self.perceiver.latents = nn.Parameter(torch.zeros(latents, width))
        self.perceiver.cross_attentions = nn.ModuleList(
            PerceiverLayer(width, channels, channels, 1) for _ in range(2)
        )
        self.perceiver.blocks = nn.ModuleList(
            [nn.ModuleList(PerceiverLayer(width, None, width, heads) for _ in range(layers))]
        )
        self.perceiver.logits = nn.Linear(width, classes)

    def forward(self, image):
        batch = image.shape[0]
        pixels = image.flatten(2).transpose(1, 2)
        rows = torch.cat([pixels, self.places.expand(batch, -1, -1)], -1)
        x = self.perceiver.latents.expand(batch, -1, -1)
        for t in range(self.readings):
            x = self.perceiver.cross_attentions[min(t, 1)](x, rows)
            for layer in self.perceiver.blocks[0]:
                x = layer(x)
        return self.perceiver.logits(x.mean(1))


class ExpireSpanDrop(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.span_predictor = nn.Linear(width, 1)


class ExpireAttention(nn.Module):
    """The mask of predicted spans on the weights of attention, which are then normalised again."""

    def __init__(self, width, heads, limit, ramp, weight, key_pe):
        super().__init__()
        self.heads, self.limit, self.ramp, self.weight = heads, limit, ramp, weight
        self.attn = nn.Module()
        self.attn.key_pe = key_pe
        self.attn.expire_span = ExpireSpanDrop(width)
        for name in ("proj_query", "proj_key", "proj_val", "proj_out"):
            setattr(self, name, nn.Linear(width, width, bias=False))

    def forward(self, block, hidden, ages):
        batch, m, width = block.shape
        columns = torch.cat([hidden, block], 1)
        own = -torch.arange(m, dtype=ages.dtype).expand(batch, m)
        ages = torch.cat([ages, own], 1)
        length = columns.shape[1]
        split = lambda x: x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q = split(self.proj_query(block)) / math.sqrt(width // self.heads)
        k, v = split(self.proj_key(columns)), split(self.proj_val(columns))
        spans = self.limit * torch.sigmoid(self.attn.expire_span.span_predictor(columns).squeeze(-1))
        left = (spans - ages)[:, None, :] - torch.arange(m, dtype=ages.dtype)[:, None]
        mask = (left / self.ramp + 1).clamp(0, 1)
        on_ramp = (mask > 0) & (mask < 1)
        aux = (left * on_ramp).sum((1, 2)) * (self.weight / (self.ramp * m))
        # Query m sees the columns before length - m + m, the nearest m of them with a key of their distance.
        near = F.pad(q @ self.attn.key_pe, (0, m + 1)).flatten(-2)[..., : m * 2 * m].unflatten(-1, (m, 2 * m))
        scores = q @ k.transpose(-1, -2) + F.pad(near, (length - 2 * m, 0))
        causal = torch.arange(length) < torch.arange(m)[:, None] + (length - m)
        seen = mask[:, None] * causal
        weights = scores.masked_fill(seen == 0, -1e30).softmax(-1) * seen
        mixed = (weights / (weights.sum(-1, keepdim=True) + 1e-8)) @ v
        return self.proj_out(mixed.transpose(1, 2).flatten(2)), aux


class ExpireLayer(nn.Module):
    def __init__(self, width, hidden, attention):
        super().__init__()
        self.attn = attention
        self.ff = nn.Module()
        self.ff.fc1, self.ff.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, block, hidden, ages):
        read, aux = self.attn(block, hidden, ages)
        h = self.norm1(block + read)
        return self.norm2(h + self.ff.fc2(F.relu(self.ff.fc1(h)))), aux


class ExpireSpan(nn.Module):
    """A block read with a memory that does not change; log probabilities, and the mean of the span loss."""

    def __init__(self, batch=16, tokens=64, memories=256, width=128, layers=4, heads=4, vocabulary=84):
        super().__init__()
        self.model = nn.Module()
        self.model.in_emb = nn.Embedding(vocabulary, width)
        key_pe = nn.Parameter(torch.zeros(1, width // heads, tokens))
        self.model.layers = nn.ModuleList(
            ExpireLayer(width, 512, ExpireAttention(width, heads, 1024, 32, 1e-6, key_pe)) for _ in range(layers)
        )
        self.model.out = nn.Module()
        self.model.out.out_emb = nn.Linear(width, vocabulary)
        for layer in range(layers):
            self.register_buffer(f"hidden_{layer}", torch.zeros(batch, memories, width))
        self.register_buffer("ages", torch.zeros(batch, memories))

    def forward(self, ids):
        x = self.model.in_emb(ids)
        losses = 0
        for i, layer in enumerate(self.model.layers):
            x, aux = layer(x, getattr(self, f"hidden_{i}"), self.ages)
            losses = losses + aux
        return F.log_softmax(self.model.out.out_emb(x), -1), losses.mean()


class BasicBlock(nn.Module):
    def __init__(self, start, to, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(start, to, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(to)
        self.conv2 = nn.Conv2d(to, to, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(to)
        self.downsample = None
        if stride != 1 or start != to:
            self.downsample = nn.Sequential(nn.Conv2d(start, to, 1, stride, bias=False), nn.BatchNorm2d(to))

    def forward(self, x):
        residual = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(residual + (self.downsample(x) if self.downsample else x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512, 1))
        self.fc = nn.Linear(512, 100)

    def forward(self, image):
        x = F.relu(self.bn1(self.conv1(image)))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        return self.fc(x.mean((2, 3)))


class SmallResNet(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = nn.Sequential(BasicBlock(width, width, 1))
        self.layer2 = nn.Sequential(BasicBlock(width, 2 * width, 2))
        self.layer3 = nn.Sequential(BasicBlock(2 * width, 4 * width, 2))

    def forward(self, image):
        x = F.relu(self.bn1(self.conv1(image)))
        return self.layer3(self.layer2(self.layer1(x))).mean((2, 3))


class SimCLR(nn.Module):
    def __init__(self, hidden=128, out=64):
        super().__init__()
        self.encoder = SmallResNet()
        self.projector = nn.Sequential(
            nn.Linear(64, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, out, bias=False), nn.BatchNorm1d(out)
        )

    def forward(self, image):
        return self.projector(self.encoder(image))


def nt_xent(hidden, _labels, temperature=0.2):
    """The official loss: the sum over both views of the cross-entropy of the other view."""
    a, b = F.normalize(hidden).chunk(2)
    itself = 1e9 * torch.eye(len(a))
    target = torch.arange(len(a))
    ab, aa, bb = a @ b.T / temperature, a @ a.T / temperature - itself, b @ b.T / temperature - itself
    return F.cross_entropy(torch.cat([ab, aa], 1), target) + F.cross_entropy(torch.cat([ab.T, bb], 1), target)


def conv(start, to, stride=1):
    return nn.Conv2d(start, to, 3, stride, 1)


class ResidualBlock(nn.Module):
    def __init__(self, start, to):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, start)
        self.conv1 = conv(start, to)
        self.norm2 = nn.GroupNorm(8, to)
        self.conv2 = conv(to, to)
        self.plain = start == to
        if not self.plain:
            self.skip = nn.Conv2d(start, to, 1)

    def forward(self, x):
        residual = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        return residual + (x if self.plain else self.skip(x))


class AttentionBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.attention = Attention(width, 4)

    def forward(self, x):
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        return x + self.attention(tokens).transpose(1, 2).reshape(x.shape)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv(3, 32)
        self.down1 = ResidualBlock(32, 32)
        self.reduce1 = conv(32, 64, 2)
        self.down2 = ResidualBlock(64, 64)
        self.reduce2 = conv(64, 128, 2)
        self.middle1 = ResidualBlock(128, 128)
        self.attention = AttentionBlock(128)
        self.middle2 = ResidualBlock(128, 128)
        self.widen2 = conv(128, 64)
        self.up2 = ResidualBlock(128, 64)
        self.widen1 = conv(64, 32)
        self.up1 = ResidualBlock(64, 32)
        self.norm = nn.GroupNorm(8, 32)
        self.head = conv(32, 3)

    def forward(self, image):
        a = self.down1(self.stem(image))
        b = self.down2(self.reduce1(a))
        low = self.middle2(self.attention(self.middle1(self.reduce2(b))))
        y = self.up2(torch.cat([self.widen2(F.interpolate(low, scale_factor=2)), b], 1))
        z = self.up1(torch.cat([self.widen1(F.interpolate(y, scale_factor=2)), a], 1))
        return self.head(F.silu(self.norm(z)))


class GuidedResBlock(nn.Module):
    """Time scales and shifts after the second norm; `resample` halves or doubles the resolution on the way."""

    def __init__(self, start, to, embedding, resample=None):
        super().__init__()
        self.resample = resample
        self.in_layers = nn.ModuleDict({"0": nn.GroupNorm(8, start), "2": conv(start, to)})
        self.emb_layers = nn.ModuleDict({"1": nn.Linear(embedding, 2 * to)})
        self.out_layers = nn.ModuleDict({"0": nn.GroupNorm(8, to), "3": conv(to, to)})
        self.skip_connection = nn.Identity() if start == to else nn.Conv2d(start, to, 1)

    def resized(self, x):
        if self.resample == "down":
            return F.avg_pool2d(x, 2)
        return F.interpolate(x, scale_factor=2) if self.resample == "up" else x

    def forward(self, x, emb):
        h = self.in_layers["2"](self.resized(F.silu(self.in_layers["0"](x))))
        scale, shift = self.emb_layers["1"](F.silu(emb))[:, :, None, None].chunk(2, 1)
        h = self.out_layers["3"](F.silu(self.out_layers["0"](h) * (1 + scale) + shift))
        return self.skip_connection(self.resized(x)) + h


class GuidedAttention(nn.Module):
    """Heads of 32 channels, computed by PyTorch's fused kernel."""

    def __init__(self, width):
        super().__init__()
        self.heads = width // 32
        self.norm = nn.GroupNorm(8, width)
        self.qkv = nn.Conv1d(width, 3 * width, 1)
        self.proj_out = nn.Conv1d(width, width, 1)

    def forward(self, x, emb):
        batch, width, height, length = x.shape
        flat = x.flatten(2)
        q, k, v = self.qkv(self.norm(flat)).view(batch, 3, self.heads, 32, -1).transpose(-1, -2).unbind(1)
        read = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2).reshape(batch, width, -1)
        return (flat + self.proj_out(read)).view(x.shape)


class GuidedConv(nn.Conv2d):
    """A convolution that the embedding does not concern."""

    def forward(self, x, emb):
        return super().forward(x)


class GuidedUNet(nn.Module):
    """The U-Net of guided diffusion with OpenAI's names, 16 channels times 1, 2, 2, one block a level, attention at the lowest one."""

    def __init__(self, batch=32, base=16, multiples=(1, 2, 2), classes=10):
        super().__init__()
        embedding = 4 * base
        self.time_embed = nn.Sequential(nn.Linear(base, embedding), nn.SiLU(), nn.Linear(embedding, embedding))
        self.label_emb = nn.Embedding(classes, embedding)
        rows = torch.arange(batch)
        half = base // 2
        angles = (31.0 * rows)[:, None] * torch.exp(-math.log(10000) * torch.arange(half) / half)
        self.register_buffer("times", torch.cat([angles.cos(), angles.sin()], 1), persistent=False)
        self.register_buffer("labels", rows % classes, persistent=False)
        inputs, channels = [[GuidedConv(1, base, 3, padding=1)]], [base]
        for level, multiple in enumerate(multiples):
            block = [GuidedResBlock(channels[-1], multiple * base, embedding)]
            inputs.append(block + ([GuidedAttention(multiple * base)] if level == len(multiples) - 1 else []))
            channels.append(multiple * base)
            if level < len(multiples) - 1:
                inputs.append([GuidedResBlock(channels[-1], channels[-1], embedding, "down")])
                channels.append(channels[-1])
        width = channels[-1]
        middle = [GuidedResBlock(width, width, embedding), GuidedAttention(width), GuidedResBlock(width, width, embedding)]
        outputs = []
        for level, multiple in reversed(list(enumerate(multiples))):
            for i in range(2):
                block = [GuidedResBlock(width + channels.pop(), multiple * base, embedding)]
                width = multiple * base
                if level == len(multiples) - 1:
                    block.append(GuidedAttention(width))
                if level > 0 and i == 1:
                    block.append(GuidedResBlock(width, width, embedding, "up"))
                outputs.append(block)
        self.input_blocks = nn.ModuleList(nn.ModuleList(block) for block in inputs)
        self.middle_block = nn.ModuleList(middle)
        self.output_blocks = nn.ModuleList(nn.ModuleList(block) for block in outputs)
        self.out = nn.ModuleDict({"0": nn.GroupNorm(8, width), "2": conv(width, 1)})

    def forward(self, x):
        emb = self.time_embed(self.times) + self.label_emb(self.labels)
        skips = []
        for block in self.input_blocks:
            for module in block:
                x = module(x, emb)
            skips.append(x)
        for module in self.middle_block:
            x = module(x, emb)
        for block in self.output_blocks:
            x = torch.cat([x, skips.pop()], 1)
            for module in block:
                x = module(x, emb)
        return self.out["2"](F.silu(self.out["0"](x)))


class Involution(nn.Module):
    """The naive form of d-li14/involution: all windows, times the kernels, summed."""

    def __init__(self, kernel, batch=8, channels=64, groups=4, side=56):
        super().__init__()
        self.kernel, self.groups = kernel, groups
        self.input = nn.Parameter(torch.empty(batch, channels, side, side))
        self.kernels = nn.Parameter(torch.empty(batch, groups, kernel, kernel, side, side))

    def forward(self, shift):
        n, channels, height, width = self.input.shape
        windows = F.unfold(self.input + shift, self.kernel, padding=self.kernel // 2)
        windows = windows.view(n, self.groups, channels // self.groups, self.kernel**2, height, width)
        kernels = self.kernels.view(n, self.groups, 1, self.kernel**2, height, width)
        return (kernels * windows).sum(3).view(n, channels, height, width)


class Neighbourhood(nn.Module):
    """What involution is compared with: convolutions, and self-attention in windows (unfold) or over all pixels."""

    def __init__(self, kind, kernel=1, batch=8, channels=64, heads=4, side=56):
        super().__init__()
        self.kind, self.kernel, self.heads = kind, int(kernel), heads
        self.input = nn.Parameter(torch.empty(batch, channels, side, side))
        if kind.endswith("attention"):
            self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        else:
            groups = channels if kind == "depthwise" else 1
            self.conv = nn.Conv2d(channels, channels, self.kernel, padding=self.kernel // 2, groups=groups, bias=False)

    def forward(self, shift):
        x = self.input + shift
        if not self.kind.endswith("attention"):
            return self.conv(x)
        n, channels, height, width = x.shape
        depth = channels // self.heads
        query, key, value = self.qkv(x).chunk(3, 1)
        if self.kind == "fullattention":
            query, key, value = (part.view(n, self.heads, depth, -1).transpose(2, 3) for part in (query, key, value))
            return F.scaled_dot_product_attention(query, key, value).transpose(2, 3).reshape(n, channels, height, width)
        windows = lambda part: F.unfold(part, self.kernel, padding=self.kernel // 2).view(
            n, self.heads, depth, self.kernel**2, height, width
        )
        scores = (query.view(n, self.heads, depth, 1, height, width) * windows(key)).sum(2) / depth**0.5
        found = (scores.softmax(2).unsqueeze(2) * windows(value)).sum(3)
        return found.view(n, channels, height, width)


class Conv1D(nn.Module):
    def __init__(self, start, to):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(start, to))
        self.bias = nn.Parameter(torch.empty(to))

    def forward(self, x):
        return torch.addmm(self.bias, x.flatten(0, -2), self.weight).view(*x.shape[:-1], -1)


class GPT2Attention(nn.Module):
    """With a cache that has room for all tokens of a text: only the new ones are written."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.c_attn = Conv1D(width, 3 * width)
        self.c_proj = Conv1D(width, width)

    def forward(self, x, cache, past):
        batch, tokens, width = x.shape
        q, k, v = self.c_attn(x).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        keys, values = k, v
        if cache is not None:
            cache[0][:, :, past : past + tokens] = k
            cache[1][:, :, past : past + tokens] = v
            keys, values = (part[:, :, : past + tokens] for part in cache)
        mixed = F.scaled_dot_product_attention(q, keys, values, is_causal=tokens > 1)
        return self.c_proj(mixed.transpose(1, 2).reshape(batch, tokens, width))


class GPT2MLP(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.c_fc = Conv1D(width, 4 * width)
        self.c_proj = Conv1D(4 * width, width)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class GPT2Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = GPT2Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = GPT2MLP(width)

    def forward(self, x, cache, past):
        x = x + self.attn(self.ln_1(x), cache, past)
        return x + self.mlp(self.ln_2(x))


class GPT2Model(nn.Module):
    def __init__(self, vocabulary, width, layers, heads, positions=1024):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(positions, width)
        self.h = nn.ModuleList(GPT2Block(width, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)

    def forward(self, ids, caches, past):
        x = self.wte(ids) + self.wpe.weight[past : past + ids.shape[1]]
        for block, cache in zip(self.h, caches):
            x = block(x, cache, past)
        return self.ln_f(x)


class GPT2(nn.Module):
    """transformers' names. The cache is a pair of tensors for each layer, `past` the number of tokens in it."""

    def __init__(self, vocabulary, width, layers, heads):
        super().__init__()
        self.sizes = (layers, heads, width // heads)
        self.transformer = GPT2Model(vocabulary, width, layers, heads)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def new_caches(self, tokens):
        layers, heads, width = self.sizes
        return [torch.zeros(2, 1, heads, tokens, width) for _ in range(layers)]

    def forward(self, ids, caches, past):
        """Logits of the token after the last one."""
        return self.lm_head(self.transformer(ids, caches, past)[:, -1])


class FrozenGPT2(nn.Module):
    """Class FPT of the official code: attention, MLPs and word embeddings are frozen, or nothing is. Dropout is 0."""

    def __init__(self, frozen, numbers=48, classes=10, tokens=64, width=256, layers=6, heads=8):
        super().__init__()
        self.sequence_model = GPT2Model(1, width, layers, heads, tokens)
        self.in_net = nn.Sequential(nn.Linear(numbers, width), nn.Dropout(0.0))
        self.out_net = nn.Sequential(nn.Linear(width, classes))
        # Not used, so it has no gradient in either.
        self.sequence_model.wte.requires_grad_(False)
        if frozen:
            for block in self.sequence_model.h:
                block.attn.requires_grad_(False)
                block.mlp.requires_grad_(False)

    def forward(self, x):
        body = self.sequence_model
        x = self.in_net(x) + body.wpe.weight[: x.shape[1]]
        for block in body.h:
            x = block(x, None, 0)
        return self.out_net(body.ln_f(x)[:, -1])


def mel_filters(count, bands, rate):
    """HTK's, as torchaudio.functional.melscale_fbanks."""
    hertz = 700 * (10 ** (torch.linspace(0, 2595 * math.log10(1 + rate / 1400), bands + 2, dtype=torch.float64) / 2595) - 1)
    frequencies = torch.linspace(0, rate / 2, count, dtype=torch.float64)[:, None]
    left, top, right = hertz[:-2], hertz[1:-1], hertz[2:]
    return torch.minimum((frequencies - left) / (top - left), (right - frequencies) / (right - top)).clamp(min=0).float()


class Waves(nn.Module):
    """Power spectra (stft), logarithms of mel bands (mel), or transforms of rows (rfft)."""

    def __init__(self, kind, size, batch=16, length=16000, bands=80):
        super().__init__()
        self.kind, self.size = kind, int(size)
        self.waves = nn.Parameter(torch.empty(batch, length))
        self.register_buffer("window", torch.hann_window(self.size), persistent=False)
        self.register_buffer("filters", mel_filters(self.size // 2 + 1, bands, length).T.contiguous(), persistent=False)

    def forward(self, shift):
        waves = self.waves + shift
        if self.kind == "rfft":
            return torch.fft.rfft(waves.reshape(-1, self.size)).real
        hop = {400: 160, 1024: 256}[self.size]
        y = torch.stft(waves, self.size, hop, window=self.window, return_complex=True)
        power = y.real.square() + y.imag.square()
        return power if self.kind == "stft" else torch.log(self.filters @ power + 1e-6)


class ClipAttention(nn.Module):
    """Names of nn.MultiheadAttention, computed by the fused kernel in training too."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.zeros(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x, causal):
        batch, tokens, width = x.shape
        qkv = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self.out_proj(mixed.transpose(1, 2).reshape(batch, tokens, width))


class ClipBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attn = ClipAttention(width, heads)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x, causal):
        x = x + self.attn(self.ln_1(x), causal)
        hidden = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](hidden * torch.sigmoid(1.702 * hidden))


class ClipTransformer(nn.Module):
    def __init__(self, width, layers, heads, causal):
        super().__init__()
        self.resblocks = nn.ModuleList(ClipBlock(width, heads) for _ in range(layers))
        self.causal = causal

    def forward(self, x):
        for block in self.resblocks:
            x = block(x, self.causal)
        return x


class ClipVision(nn.Module):
    def __init__(self, side, patch, width, layers, heads, embed):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros((side // patch) ** 2 + 1, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = ClipTransformer(width, layers, heads, False)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.zeros(width, embed))

    def forward(self, image):
        x = self.conv1(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_embedding.expand(x.shape[0], 1, -1), x], 1) + self.positional_embedding
        return self.ln_post(self.transformer(self.ln_pre(x))[:, 0]) @ self.proj


class Clip(nn.Module):
    """`forward` is the picture tower; the text tower belongs to the loss."""

    def __init__(self, side=64, patch=8, width=256, layers=4, heads=4, embed=128, tokens=32, vocabulary=1000):
        super().__init__()
        self.visual = ClipVision(side, patch, width, layers, heads, embed)
        self.transformer = ClipTransformer(width, layers, heads, True)
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.positional_embedding = nn.Parameter(torch.zeros(tokens, width))
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.zeros(width, embed))
        self.logit_scale = nn.Parameter(torch.zeros([]))

    def forward(self, image):
        return self.visual(image)

    def encode_text(self, ids):
        x = self.ln_final(self.transformer(self.token_embedding(ids) + self.positional_embedding))
        return x[torch.arange(x.shape[0]), ids.argmax(-1)] @ self.text_projection

    def loss(self, seen, ids):
        pictures, texts = F.normalize(seen, dim=-1), F.normalize(self.encode_text(ids), dim=-1)
        logits = self.logit_scale.exp() * pictures @ texts.t()
        own = torch.arange(logits.shape[0])
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.t(), own)) / 2
