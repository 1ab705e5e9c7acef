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
    def __init__(self, vocabulary, width, layers, heads):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(1024, width)
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
