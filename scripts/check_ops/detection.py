"""Boxes, suppression and RoIAlign beside torchvision's."""

import torch
from torchvision import ops as vision

from inputs import vector
from table import Op


def boxes(make, *shape, size=20.0, longest=8.0):
    corner = make.uniform(*shape, 2, low=-2.0, high=size)
    return torch.cat([corner, corner + make.uniform(*shape, 2, low=0.1, high=longest)], -1)


def pairs(make):
    for n, m in [(5, 7), (1, 1), (0, 3), (3, 0), (20, 20)]:
        yield [boxes(make, n), boxes(make, m)], {}
    yield [vector([[0, 0, 1, 1], [0, 0, 0, 0], [2, 2, 1, 1]]), vector([[0, 0, 1, 1], [0.5, 0.5, 3, 3], [5, 5, 6, 6]])], {}


def single(make):
    for shape in ([5], [0], [2, 3], []):
        yield [boxes(make, *shape)], {}


def conversions(make):
    for a in ("xyxy", "xywh", "cxcywh"):
        for b in ("xyxy", "xywh", "cxcywh"):
            for shape in ([5], [2, 3], [0]):
                yield [boxes(make, *shape), a, b], {}


def clippings(make):
    for shape in ([7], [0], [2, 3]):
        for size in ([9, 13], [5, 5]):
            yield [boxes(make, *shape), size], {}


def nms(given, scores, o):
    length = o.get("maxDetections", max(1, len(scores)))
    threshold = o.get("scoreThreshold")
    chosen = torch.arange(len(scores)) if threshold is None else (scores > threshold).nonzero()[:, 0]
    if "classes" in o:
        kept = vision.batched_nms(given[chosen], scores[chosen], o["classes"][chosen], o["iouThreshold"])
    else:
        kept = vision.nms(given[chosen], scores[chosen], o["iouThreshold"])
    kept = chosen[kept][:length]
    return [torch.cat([kept, kept.new_zeros(length - len(kept))]), torch.tensor(len(kept))]


def suppressions(make):
    for count in (1, 12, 60):
        for threshold in (0.0, 0.3, 0.5, 0.7, 1.0):
            for option in ({}, {"scoreThreshold": 0.4}, {"maxDetections": 5}, {"classes": make.integers(count, low=0, high=4)}):
                yield [boxes(make, count, size=10.0), make.uniform(count), {"iouThreshold": threshold, **option}], {}
    same = vector([[0, 0, 2, 2], [0, 0, 2, 2], [1, 0, 3, 2], [4, 4, 4, 4], [4, 4, 4, 4]])
    yield [same, vector([0.5, 0.5, 0.5, 0.5, 0.5]), {"iouThreshold": 0.4}], {}
    yield [torch.zeros(0, 4), torch.zeros(0), {"iouThreshold": 0.5}], {}


def roi_align(x, given, size, o={}):
    return vision.roi_align(x, given, size, o.get("spatialScale", 1.0), o.get("samplingRatio", -1), o.get("aligned", False))


def alignments(make):
    for shape, count, size in [([2, 3, 9, 11], 6, [3, 4]), ([1, 2, 5, 4], 3, 2), ([3, 1, 16, 16], 9, 7), ([1, 1, 6, 6], 0, 2), ([2, 2, 1, 3], 4, [2, 3])]:
        for aligned in (False, True):
            for ratio in (-1, 0, 1, 2, 3):
                for scale in (1.0, 0.5, 0.25):
                    example = make.integers(count, 1, low=0, high=shape[0]).float()
                    given = torch.cat([example, boxes(make, count, size=shape[3] / scale, longest=shape[2] / scale)], 1)
                    option = {"aligned": aligned, "samplingRatio": ratio, "spatialScale": scale}
                    yield [make.normal(*shape), given, size, option], {"followed": {0}}


OPS = [
    Op("boxArea", vision.box_area, lambda make: (case for case in single(make) if case[0][0].dim() == 2)),
    Op("boxConvert", lambda x, a, b: vision.box_convert(x, a, b), conversions),
    Op("boxIou", vision.box_iou, pairs),
    Op("clipBoxes", lambda x, size: vision.clip_boxes_to_image(x, tuple(size)), clippings),
    Op("generalizedBoxIou", vision.generalized_box_iou, pairs),
    Op("nms", nms, suppressions, pick=["indices", "count"]),
    Op("roiAlign", roi_align, alignments),
]
