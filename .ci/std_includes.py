#!/usr/bin/env python3
"""Tell which standard headers a file uses without including them, itself or by headers of ours.

One version of the standard library includes within itself what another does not: such files compile by luck.
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
NAMES = {  # of std::, where the header is not obvious or often forgotten; each in one header
    "algorithm": "adjacent_find all_of any_of binary_search clamp copy copy_backward copy_if copy_n count_if equal equal_range"
                 " fill fill_n find find_if for_each generate includes is_sorted lexicographical_compare lower_bound max"
                 " max_element merge min min_element minmax minmax_element mismatch next_permutation none_of nth_element"
                 " partial_sort partition remove_if replace reverse rotate search set_difference shuffle sort"
                 " stable_partition stable_sort swap_ranges transform unique upper_bound",
    "array": "array",
    "bit": "bit_cast bit_ceil bit_floor bit_width countl_zero countr_zero has_single_bit popcount",
    "chrono": "chrono",
    "cmath": "ceil cos cosh exp expm1 floor fmod frexp hypot isfinite isinf isnan ldexp llround log log10 log1p log2 lround"
             " nextafter pow round sin sinh sqrt tan tanh trunc",
    "cstdlib": "abort exit getenv strtod strtol system",
    "cstring": "memcmp memcpy memset strcmp strerror strlen",
    "filesystem": "filesystem",
    "fstream": "ifstream ofstream",
    "functional": "function greater less minus multiplies plus",
    "limits": "numeric_limits",
    "map": "map multimap",
    "memory": "make_shared make_unique shared_ptr unique_ptr",
    "numbers": "numbers",
    "numeric": "accumulate gcd inner_product iota lcm midpoint partial_sum reduce transform_reduce",
    "optional": "nullopt optional",
    "random": "mt19937 mt19937_64 normal_distribution uniform_int_distribution uniform_real_distribution",
    "set": "set",
    "span": "span",
    "sstream": "istringstream ostringstream stringstream",
    "tuple": "make_tuple tie tuple",
    "type_traits": "conditional_t decay_t invoke_result_t is_const_v is_floating_point_v is_integral_v is_same_v remove_const_t"
                   " remove_cvref_t",
    "variant": "get_if holds_alternative variant visit",
    "vector": "vector",
}
HEADER_OF = {name: header for header, names in NAMES.items() for name in names.split()}
ALSO_BY = {"cmath": {"complex"}, "type_traits": {"concepts"}}  # headers that must include it


def included(path, seen):
    """Return the headers that are not ours and are reached from `path`."""
    if path in seen:
        return set()
    seen.add(path)
    found = set()
    for name in re.findall(r'^#include [<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE):
        rooms = (TOP / "include", TOP / "src", TOP / "tests", path.parent)
        ours = [room / name for room in rooms if (room / name).is_file()]
        found |= included(ours[0], seen) if ours else {name}
    return found


def missing(path):
    """Return {header: names of it that are used} for what is not included."""
    code = re.sub(r'//.*|"(?:\\.|[^"\\\n])*"', "", path.read_text())
    used = {}
    for name in re.findall(r"\bstd::(?:ranges::)?(\w+)", code):
        if name in HEADER_OF:
            used.setdefault(HEADER_OF[name], set()).add(name)
    have = included(path, set())
    return {header: names for header, names in used.items() if not have & ({header} | ALSO_BY.get(header, set()))}


def main():
    failed = False
    for path in sorted(p for room in ("include", "src", "tests") for p in (TOP / room).rglob("*.?pp")):
        for header, names in sorted(missing(path).items()):
            failed = True
            print(f"{path.relative_to(TOP)}: #include <{header}> for std::{', std::'.join(sorted(names))}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
