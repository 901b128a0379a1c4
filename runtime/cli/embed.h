/* embed: what the command uses of the library besides touchstone.h, and why it is not public. The files of
 * cli/ include no other header of the library; ci/check_includes.py checks that (cli/wast tests internals and
 * is exempt).
 *
 * Loading (run, serve, validate, inspect)
 *   ts_component_new, ts_module_new       load without a copy: the bytes must outlive the component,
 *                                         which ts_component_load does not ask of its callers
 *   ts_component_features_parse           ts_component_new takes a set of bits
 *   ts_bytes_are_component                picks the decoder; an embedder knows what it loads
 *   ts_engine_cache_file                  identifies a file by its state instead of its contents: only
 *                                         for files that sys/input.h has mapped
 *   ts_name_parse, ts_instance_type_find, ts_cfunc_get_type
 *                                         the types of exports before instantiation; these structs
 *                                         may still change
 *   ts_engine_tier                        whether --confine must leave room for machine code
 * Linking (run, serve)
 *   ts_linker_check                       the missing imports of --outcome; ts_missing may change
 *   ts_component_link, ts_linked_instantiate, ts_linked_free, ts_linker_resource
 *                                         serve links once for all requests; not offered before its
 *                                         rules about threads are settled
 * Running (run, serve)
 *   ts_cstore_create, ts_store_limits_of, ts_spares_new, ts_spares_free
 *                                         serve hands pages from one instance to the next
 *   ts_cstore_set_host                    serve gives each store the context of its thread
 *   ts_canon_call                         a call with an arena that is reused for each request
 *   ts_cstore_core, ts_store_interrupt    for signal handlers, which may not take a lock
 *   ts_store_get_usage, ts_wasi_get_usage, ts_instance_own_memory, ts_module_name
 *                                         usage of --outcome; the structs grow with each new limit
 *   ts_instance_export, ts_call, ts_slot_parse, ts_slot_print
 *                                         --invoke of core modules: text of values of all types
 *   ts_cinstance_find_text                --invoke NAME ARG…: an older form of the command line
 * WASI (run, serve)
 *   ts_p1_*                               core modules of preview 1: to be offered once it has settled
 *   ts_option_find, ts_option_set, ts_each_word, ts_words_set, ts_features_check, ts_policy_read,
 *   ts_settings_finish, ts_settings_free  the table of options, which policies and the command share
 *   ts_wasi_interface_at                  the names that --trace accepts
 *   ts_wasi_until, ts_wasi_watch_waits    the server's own waits and deadlines
 *   ts_wasi_http_*, ts_http_*             the server: an embedder has its own
 *   struct ts_wasi_grants                 --show-grants prints every field
 * Printing (inspect)
 *   ts_component, ts_ctype_print, ts_cfunc_type_print, ts_ctype_primitive
 *                                         the decoded component, whose structs may still change
 *   ts_code_listing                       --code: a listing for people, whose form may change; functions
 *   ts_module_func_name                   are found by name
 *   ts_disassembler_new, ts_disassembler_free
 *                                         its library is loaded before the process is confined */
#ifndef TS_CLI_EMBED_H
#define TS_CLI_EMBED_H
#include "component/abi/canon.h"
#include "component/abi/instance.h"
#include "component/binary/component.h"
#include "component/run/host.h"
#include "component/run/instance.h"
#include "component/run/linker.h"
#include "component/type/names.h"
#include "core/load/load.h"
#include "core/module/engine.h"
#include "core/module/module.h"
#include "core/run/spares.h"
#include "core/run/store.h"
#include "core/run/text.h"
#include "core/run/usage.h"
#include "core/tools/disassembler.h"
#include "core/tools/listing.h"
#include "http/server/server.h"
#include "wasi/context.h"
#include "wasi/http/http.h"
#include "wasi/policy/option.h"
#include "wasi/preview1/preview1.h"
#include "wasi/wasi.h"
#endif
