// embed.cpp: the same as embed.c in C++17. A unique_ptr owns each object of the library, and failures are exceptions.
// The program checks its results and exits with 0 if they are right; the tests run it.
#include <touchstone.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "embed_component.h"

namespace {

template <auto Free> struct Freed {
    template <class T> void operator()(T *p) const { Free(p); }
};
template <class T, auto Free> using Owned = std::unique_ptr<T, Freed<Free>>;
using Engine = Owned<ts_engine, ts_engine_free>;
using Component = Owned<ts_component, ts_component_free>;
using Linker = Owned<ts_linker, ts_linker_free>;
using Store = Owned<ts_cstore, ts_cstore_free>;
using Pool = Owned<ts_pool, ts_pool_free>;

class Failure : public std::runtime_error {
  public:
    explicit Failure(const ts_error &e)
        : std::runtime_error(std::string(ts_status_name(e.status)) + ": " + e.message) {}
};

// Calls a function of the library whose last parameter is the error.
template <class F, class... Args> void check(F f, Args... args) {
    ts_error e;
    ts_error_init(&e);
    if (f(args..., &e) != TS_OK) throw Failure(e);
}
// The same for a function that returns an object through the parameter before the error.
template <class O, class F, class... Args> O made(F f, Args... args) {
    typename O::pointer p = nullptr;
    check(f, args..., &p);
    return O(p);
}

struct Tally {
    std::vector<std::uint32_t> counters;
    std::string logged;
    unsigned dropped = 0;
};

} // namespace

int main() try {
    const char *const iface = "example:host/tally@1.0.0";
    Tally tally;
    Engine engine = made<Engine>(ts_engine_new);
    Component component = made<Component>(ts_component_load, engine.get(), static_cast<const void *>(embed_component),
                                          sizeof embed_component);
    Linker linker = made<Linker>(ts_linker_new);
    ts_drop_callback drop = [](ts_host_call *, void *data, std::uint64_t) {
        static_cast<Tally *>(data)->dropped++;
        return TS_OK;
    };
    ts_callback create = [](ts_host_call *, void *data, const ts_val *args, ts_val *result) {
        auto &counters = static_cast<Tally *>(data)->counters;
        result->handle.rep = counters.size();
        counters.push_back(args[0].u32);
        return TS_OK;
    };
    ts_callback add = [](ts_host_call *, void *data, const ts_val *args, ts_val *result) {
        result->u32 = static_cast<Tally *>(data)->counters.at(args[0].handle.rep) += args[1].u32;
        return TS_OK;
    };
    ts_callback log = [](ts_host_call *, void *data, const ts_val *args, ts_val *) {
        static_cast<Tally *>(data)->logged.assign(args[0].str.ptr, args[0].str.len);
        return TS_OK;
    };
    void *data = &tally;
    check(ts_linker_define_resource, linker.get(), iface, "counter", drop, data);
    check(ts_linker_define_func, linker.get(), iface, "[constructor]counter", "func(start: u32) -> own<counter>",
          create, data);
    check(ts_linker_define_func, linker.get(), iface, "[method]counter.add",
          "func(self: borrow<counter>, n: u32) -> u32", add, data);
    check(ts_linker_define_func, linker.get(), iface, "log", "func(text: string)", log, data);

    Store store = made<Store>(ts_cstore_new, engine.get(), static_cast<const ts_run_limits *>(nullptr));
    ts_cinstance *instance = nullptr; // ends with the store
    check(ts_component_instantiate, store.get(), linker.get(), component.get(), &instance);
    Pool pool(ts_pool_new());
    if (!pool) throw std::bad_alloc();

    ts_cfunc *measure = ts_cinstance_func(instance, nullptr, "measure");
    ts_val text = {}, report = {};
    text.str.ptr = "seven..";
    text.str.len = 7;
    check(ts_cfunc_call, store.get(), measure, static_cast<const ts_val *>(&text), &report, pool.get());
    if (report.list.ptr[1].u32 != 107 || tally.logged != "seven.." || tally.dropped != 1)
        throw std::runtime_error("measure returned another report than it should");
    const char *wave = nullptr;
    check(ts_cinstance_call_text, store.get(), instance, "measure(\"four\")", pool.get(), &wave);
    std::printf("measure(\"four\") is %s; touchstone %s\n", wave, ts_version());
    return std::strcmp(wave, "{text: \"four\", total: 104}") == 0 ? 0 : 1;
} catch (const std::exception &e) {
    std::fprintf(stderr, "embed: %s\n", e.what());
    return 1;
}
