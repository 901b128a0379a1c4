"""PyYAML: loads /in/data.yaml by its loader in Python, and dumps it again."""

import yaml
from wit_world import exports


class Run(exports.Run):
    def run(self) -> None:
        with open("/in/data.yaml", encoding="utf-8") as file:
            data = yaml.load(file, Loader=yaml.SafeLoader)
        text = yaml.dump(data, Dumper=yaml.SafeDumper, sort_keys=True)
        with open("/out/data.yaml", "w", encoding="utf-8") as out:
            out.write(text)
        print(f"{len(data['items'])} items, {len(text)} characters, the same: {yaml.load(text, Loader=yaml.SafeLoader) == data}")
