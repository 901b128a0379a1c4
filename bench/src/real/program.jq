def bucket: . / 10 | floor;
{
  groups: (group_by(.at.y) | map({y: .[0].at.y, n: length, sum: (map(.price) | add | floor), last: (sort_by(.price, .id) | last | .name)})),
  tags: ([.[].tags[]] | group_by(.) | map({tag: .[0], n: length}) | sort_by(-.n, .tag) | .[:20]),
  matched: [.[] | select(.name | test("^[aeiou].*[nrst]$")) | .name | gsub("[aeiou]"; "_")] | (length, (unique | .[:15])),
  buckets: (reduce .[] as $item ({}; .[($item.price | bucket | tostring)] += 1)),
  longest: ([.[] | .name + (.tags | join("-"))] | max_by(length, .)),
  text: ([.[:1500][] | tojson] | join("") | length),
  fold: (reduce range(60000) as $i (7; (. * 31 + $i) % 1000003))
}
