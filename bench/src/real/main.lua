-- Objects, strings, sorting, closures, coroutines, and many errors that are caught.
local seed = 42
local function random(n)
  seed = (seed * 1664525 + 1013904223) % 4294967296
  return seed // 256 % n
end

local function queens(n)
  local count, columns, up, down = 0, {}, {}, {}
  local function place(row)
    if row > n then count = count + 1 return end
    for c = 1, n do
      if not (columns[c] or up[row + c] or down[row - c + n]) then
        columns[c], up[row + c], down[row - c + n] = true, true, true
        place(row + 1)
        columns[c], up[row + c], down[row - c + n] = nil, nil, nil
      end
    end
  end
  place(1)
  return count
end
print("queens", queens(9))

local words = {}
for i = 1, 60000 do
  local letters = {}
  for k = 1, 3 + random(5) do letters[k] = string.char(97 + random(26)) end
  words[i] = table.concat(letters)
end
table.sort(words)
print("words", words[1], words[#words // 2], words[#words])

local counts = {}
for word in table.concat(words, " "):gmatch("%a+") do
  local key = word:sub(1, 2):upper()
  counts[key] = (counts[key] or 0) + 1
end
local keys = {}
for key in pairs(counts) do keys[#keys + 1] = key end
table.sort(keys, function(a, b) return counts[a] > counts[b] or counts[a] == counts[b] and a < b end)
print("prefixes", #keys, keys[1], counts[keys[1]])

local Account = {}
Account.__index = Account
function Account.new(balance) return setmetatable({balance = balance}, Account) end
function Account:withdraw(amount)
  if amount > self.balance then error({code = "insufficient", missing = amount - self.balance}) end
  self.balance = self.balance - amount
end
local account, refused, missing = Account.new(1000), 0, 0
for _ = 1, 150000 do
  local ok, problem = pcall(account.withdraw, account, random(900))
  if not ok then
    refused, missing = refused + 1, missing + problem.missing
    account.balance = account.balance + 450
  end
end
print("accounts", account.balance, refused, missing)

local function producer(n)
  return coroutine.wrap(function() for i = 1, n do coroutine.yield(i * i % 1009) end end)
end
local sum = 0
for value in producer(200000) do sum = sum + value end
print("coroutines", sum)

local text = {}
for i = 1, 30000 do text[i] = ("%05d:%x;%s"):format(i, i * 7919, ("%.3f"):format(i / 7)) end
local joined = table.concat(text, "\n")
local digits = 0
for d in joined:gmatch("%d%d%d") do digits = digits + tonumber(d) end
print("text", #joined, digits, select(2, joined:gsub("%.%d+", "")))

local matrix, n = {}, 90
for i = 1, n do matrix[i] = {} for j = 1, n do matrix[i][j] = (i * j % 17) / 4 end end
local product = {}
for i = 1, n do
  local row = {}
  for j = 1, n do
    local total = 0.0
    for k = 1, n do total = total + matrix[i][k] * matrix[k][j] end
    row[j] = total
  end
  product[i] = row
end
print("matrix", product[1][1], product[n][n], product[7][11])
