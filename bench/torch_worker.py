#!/usr/bin/env python3
"""torch eager in a process of its own, told on standard input what to time, so that its turns alternate with another program's.

Each line is a JSON list; each is answered by one JSON line on standard output:
    ["prepare", MODEL, BATCH]               -> {}               the model as a CUDA graph (FP16, channels_last)
    ["time", SECONDS, LEAST, MOST_SECONDS]  -> {"ms": [...]}    GPU times of replays; see torch_baseline.sample_ms
    ["compile"]                             -> {"ms": MEDIAN}   torch.compile (default mode) of what was prepared, whose graph
                                                                gives its memory back: two of the largest do not fit on a GPU
An answer {"error": TEXT} is the end of that request, not of the process."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "zoo"))
import torch
import torch_baseline


class Worker:
    def __init__(self):
        self.name = self.model = self.arguments = self.inputs = self.graph = None

    def prepare(self, name, batch):
        self.graph = self.inputs = None
        if name != self.name:
            self.model = self.name = None
            torch.cuda.empty_cache()
            self.model, self.arguments = torch_baseline.load(name)
            self.name = name
        torch.cuda.empty_cache()
        self.inputs = torch_baseline.random_inputs(self.arguments, batch)
        with torch.inference_mode():  # the model is loaded without it, as torch_baseline.py does
            self.graph = torch_baseline.captured(lambda: self.model(*self.inputs))
        return {}

    def time(self, seconds, least, most_seconds):
        return {"ms": torch_baseline.sample_ms(self.graph, seconds, least, most_seconds)}

    @torch.inference_mode()
    def compile(self):
        self.graph = None
        torch.cuda.empty_cache()
        torch._dynamo.reset()
        compiled = torch.compile(self.model, dynamic=False)
        return {"ms": torch_baseline.median_ms(lambda: compiled(*self.inputs))}


def main():
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever libraries print is no answer
    worker = Worker()
    requests = {"prepare": worker.prepare, "time": worker.time, "compile": worker.compile}
    for line in sys.stdin:
        request, *arguments = json.loads(line)
        try:
            answer = requests[request](*arguments)
        except Exception as error:
            answer = {"error": repr(error)[:300]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
