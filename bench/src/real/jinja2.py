"""jinja2: renders a page of rows from a template with inheritance, macros, loops, filters and tests."""

# jinja2 asks for these when it runs, when the library is not there any more.
import encodings.unicode_escape  # noqa: F401
import textwrap  # noqa: F401

import jinja2
from wit_world import exports

TEMPLATES = {
    "base.html": "<html><head><title>{% block title %}-{% endblock %}</title></head>{% block body %}{% endblock %}</html>",
    "macros.html": "{% macro cell(value, kind='td') %}<{{ kind }}>{{ value|e }}</{{ kind }}>{% endmacro %}",
    "page.html": """{% extends "base.html" %}{% from "macros.html" import cell %}
{% block title %}{{ rows|length }} rows{% endblock %}
{% block body %}<table>
{%- for row in rows if row.amount is not divisibleby 7 %}
<tr class="{{ loop.cycle('odd', 'even') }}">{{ cell(loop.index, 'th') }}{{ cell(row.name|title) }}{{ cell(row.amount * 3) }}
{%- if row.tags %}<td>{% for tag in row.tags|sort|unique %}{{ tag|upper }}{{ ", " if not loop.last }}{% endfor %}</td>{% else %}<td/>{% endif %}
{{- cell("%.2f"|format(row.price)) }}{{ cell(row.note|wordwrap(20)|replace("a", "&")|truncate(30)) }}</tr>
{%- endfor %}
</table>{% for kind, group in rows|groupby("kind") %}<p>{{ kind }}: {{ group|sum(attribute="amount") }}</p>{% endfor %}{% endblock %}""",
}


class Run(exports.Run):
    def run(self) -> None:
        environment = jinja2.Environment(loader=jinja2.DictLoader(TEMPLATES), autoescape=True, trim_blocks=True)
        rows = [
            {
                "name": f"item {i * 7919 % 1000}",
                "amount": i * 31 % 97,
                "price": i / 7,
                "kind": "abcdefg"[i % 7],
                "tags": [f"t{i * k % 11}" for k in range(i % 5)],
                "note": f"a note <{i}> with a few words that are wrapped & shortened",
            }
            for i in range(1200)
        ]
        size = 0
        for round_ in range(4):
            page = environment.get_template("page.html").render(rows=rows[round_:])
            size += len(page)
        with open("/out/page.html", "w", encoding="utf-8") as out:
            out.write(page)
        print(f"{size} characters")
