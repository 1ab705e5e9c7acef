"""Random pictures with objects and detections, and what pycocotools makes of them.

    pip install pycocotools
    python scripts/check_coco.py 40 FILE        # 40 cases
    npm run build && node scripts/check-coco.js FILE

test/cases/coco/cases.json was written by `python scripts/check_coco.py 5 test/cases/coco/cases.json`.
"""
import contextlib
import io
import json
import sys

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

CATEGORIES = 3


def star(rng, width, height):
    """A polygon around a point, with corners at broken places, some beyond the border."""
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    size = rng.choice([6, 15, 40, 110])
    angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 8)))
    radii = rng.uniform(0.3, 1, len(angles)) * size
    corners = np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], 1)
    corners = np.clip(corners, 0, [width, height])
    return [round(float(v), 2) for v in corners.flatten()]


def box_of(polygon):
    x, y = polygon[0::2], polygon[1::2]
    return [min(x), min(y), max(x) - min(x), max(y) - min(y)]


def case(seed):
    rng = np.random.default_rng(seed)
    images, annotations, results = [], [], []
    for image in range(1, 5):
        width, height = int(rng.integers(40, 180)), int(rng.integers(40, 180))
        images.append({"id": image, "width": width, "height": height, "file_name": f"{image}.png"})
        for _ in range(rng.integers(0, 6)):
            polygons = [star(rng, width, height) for _ in range(rng.integers(1, 3))]
            box = box_of([v for polygon in polygons for v in polygon])
            if min(box[2:]) < 1:
                continue
            crowd = int(rng.random() < 0.15)
            runs = masks.merge(masks.frPyObjects(polygons, height, width))
            packed = {"size": runs["size"], "counts": runs["counts"].decode()}
            category = int(rng.integers(1, CATEGORIES + 1))
            annotations.append({
                "id": len(annotations) + 1, "image_id": image, "category_id": category, "iscrowd": crowd,
                "bbox": [round(v, 2) for v in box], "area": float(masks.area(runs)),
                "segmentation": packed if crowd else polygons,
            })
            for _ in range(rng.integers(0, 4)):
                shift = rng.normal(0, rng.choice([0.5, 2, 8]), len(polygons[0]))
                moved = np.array(polygons[0]) + shift
                moved = np.clip(moved.reshape(-1, 2), 0, [width, height]).flatten()
                own = masks.merge(masks.frPyObjects([moved.tolist()], height, width))
                other = int(rng.integers(1, CATEGORIES + 1)) if rng.random() < 0.2 else category
                results.append({
                    "image_id": image, "category_id": other,
                    "bbox": [round(float(v), 2) for v in np.array(box) + rng.normal(0, rng.choice([0.5, 3]), 4) * [1, 1, 0.5, 0.5]],
                    "score": round(float(rng.choice([rng.random(), 0.5])), 3),
                    "segmentation": {"size": own["size"], "counts": own["counts"].decode()},
                })
        for _ in range(rng.integers(0, 4)):
            polygon = star(rng, width, height)
            own = masks.merge(masks.frPyObjects([polygon], height, width))
            results.append({
                "image_id": image, "category_id": int(rng.integers(1, CATEGORIES + 1)), "bbox": box_of(polygon),
                "score": round(float(rng.random()), 3),
                "segmentation": {"size": own["size"], "counts": own["counts"].decode()},
            })
    truth = {"images": images, "annotations": annotations,
             "categories": [{"id": i, "name": f"kind {i}"} for i in range(1, CATEGORIES + 1)]}
    expected = {}
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = json.loads(json.dumps(truth))
        coco.createIndex()
        for kind in ("bbox", "segm"):
            given = json.loads(json.dumps(results))
            if kind == "segm":
                for each in given:
                    del each["bbox"]
            else:
                for each in given:
                    del each["segmentation"]
            found = coco.loadRes(given)
            run = COCOeval(coco, found, kind)
            run.evaluate()
            run.accumulate()
            run.summarize()
            expected[kind] = [float(v) for v in run.stats]
        areas = []
        for each in annotations:
            areas.append(int(masks.area(coco.annToRLE(each))))
    return {"seed": seed, "truth": truth, "results": results, "expected": expected, "areas": areas}


if __name__ == "__main__":
    count, path = int(sys.argv[1]), sys.argv[2]
    with open(path, "w") as file:
        json.dump([case(seed) for seed in range(count)], file)
        file.write("\n")
