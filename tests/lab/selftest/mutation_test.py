# SPDX-License-Identifier: MIT
"""Tests of the package lab.mutation, and of the lists of mutations in this tree."""

import contextlib
import tempfile
import textwrap
import unittest
from collections.abc import Iterator
from pathlib import Path

from lab.mutation import change, definitions, filters, listing, statements, tokens
from lab.mutation.change import Source, Sources
from lab.say import LabError


SOME_CHANGE = change.from_keys({"function": "f", "remove": "a"})


def names_in(text: str, kind: str = definitions.FUNCTION) -> list[str]:
    return [found.name for found in definitions.find(tokens.read(text)) if found.kind == kind]


def statements_in(body: str) -> list[str]:
    """The statements of a function body, in the order in which they end."""
    read = tokens.read(body)
    return [body[read.all[found.start].start:read.all[found.end - 1].end]
            for found in statements.find(read, 0)]


def changed(text: str, **keys) -> str:
    sources = Sources([Source(Path("a.cpp"), text)])
    return sources.apply(change.from_keys(keys)).text


class Tokens(unittest.TestCase):
    def texts(self, text: str) -> list[str]:
        return [token.text for token in tokens.read(text).all]

    def test_comments_and_line_breaks_do_not_count(self):
        self.assertEqual(self.texts("a /* b\n */ // c \\\n d\n.b\t->e"), ["a", ".", "b", "->", "e"])

    def test_strings_and_characters_are_one_token(self):
        text = r"""f("a\"){", u8"//", 'b', '"', R"x(a)"} )x", 1'000.5e-3f)"""
        self.assertEqual(self.texts(text), ["f", "(", r'"a\"){"', ",", 'u8"//"', ",", "'b'", ",",
                                            "'\"'", ",", 'R"x(a)"} )x"', ",", "1'000.5e-3f", ")"])

    def test_directives_are_left_out(self):
        self.assertEqual(self.texts("#define A {  /* a\n */ \\\n {\n  #  pragma b\nc # d"),
                         ["c", "#", "d"])

    def test_all_branches_are_read(self):
        self.assertEqual(self.texts("#ifdef A\na{}\n#elif B\nb{}\n#else\nc{}\n#endif\nd"),
                         [*"a{}b{}c{}d"])

    def test_of_branches_that_open_a_brace_the_first_is_read(self):
        self.assertEqual(self.texts("#if A\na {\n#else\nb {\n#endif\n}"), [*"a{}"])

    def test_brackets_that_do_not_match_are_an_error(self):
        for text in ("{", "}", "(]", "\n{(\n}"):
            with self.assertRaisesRegex(LabError, "line [123]: . (closes nothing|is not closed)"):
                tokens.read(text)


class Definitions(unittest.TestCase):
    def test_functions_are_qualified_by_namespace_and_class(self):
        self.assertEqual(names_in("""
            namespace a::b { namespace {
            class C final : public D<int> {
            public:
                explicit C(int x) : x_(x), y_{1, 2} {}
                ~C() override { }
                int get() const noexcept { return x_; }
                int declared();
                C(const C&) = delete;
                struct E { void f() {} };
            };
            } // namespace
            struct C::F { static void g(void*) {} };
            auto C::h() const -> std::vector<std::function<void(int)>> { return {}; }
            } namespace c { void i() {} }
            extern "C" { void j() {} }
            inline namespace v1 { namespace d = a; void k() {} }"""),
            ["a::b::C::C", "a::b::C::~C", "a::b::C::get", "a::b::C::E::f", "a::b::C::F::g",
             "a::b::C::h", "c::i", "j", "v1::k"])

    def test_operators(self):
        self.assertEqual(names_in("""
            struct D { void operator()(int* a) const { f(a); } bool operator==(D) { return 1; } };
            D::operator bool() const { return true; }
            D& D::operator[](size_t i) { return *this; }
            void* operator new(size_t size) { return nullptr; }"""),
            ["D::operator()", "D::operator==", "D::operator bool", "D::operator[]",
             "operator new"])

    def test_templates(self):
        self.assertEqual(names_in("""
            template <class T, size_t n = (1 > 0)> requires (n > 0)
            std::array<std::optional<T>, 2> a(T (&x)[n]) { return x < y; }
            template <class T> void B<T>::c() {}
            template <> void B<std::vector<int>>::d<int>() {}"""), ["a", "B::c", "B::d"])

    def test_attributes_and_macros_before_the_name(self):
        self.assertEqual(names_in("""
            VKAPI_ATTR VkResult VKAPI_CALL A(VkDevice d) { return f(d); }
            [[nodiscard]] constexpr alignas(8) int b() { return 0; }
            static inline struct fences *c(struct fences *all) { return all; }
            static int d(const char *x) __attribute__((format(printf, 1, 2)));
            MACRO("d"); DECLARE(e);"""), ["A", "b", "c"])

    def test_bodies_are_not_searched(self):
        self.assertEqual(names_in("""
            void a() { struct B { void c() {} }; auto d = [](int x) { return x; }; "void e() {"; }
            // void f() {}"""), ["a"])

    def test_what_branches_define_is_all_found(self):
        self.assertEqual(names_in("""
            #ifdef A
            void a() { b(); }
            #else
            void a() {}
            #endif"""), ["a", "a"])

    def test_constants(self):
        self.assertEqual(names_in("""
            constexpr std::array best = {A::b, A::c};
            namespace n { const char* const names[] = {"a"}; int without; }
            struct S { static constexpr uint32_t most = 16; std::atomic<int> x{0}; enum { e = 1 };
                       virtual void f() = 0; S& operator=(S&&) = default; };
            static const struct file_operations fops = { .open = open };
            using T = int; typedef int U;
            template <class V> using W = X<V>;""", definitions.CONSTANT),
            ["best", "n::names", "S::most", "S::x", "fops"])


class Statements(unittest.TestCase):
    def test_what_is_controlled_is_part_of_the_statement(self):
        self.assertEqual(statements_in("{ if (a) b; else if (c) { d; } for (;;) e; }"), [
            "b;", "d;", "{ d; }", "if (c) { d; }", "if (a) b; else if (c) { d; }", "e;",
            "for (;;) e;"])

    def test_loops_and_labels(self):
        self.assertEqual(statements_in("{ do { a; } while (b); out: c; list_for_each(d, e) { f; } "
                                       "switch (g) { case h::i: j; default: k; } }"), [
            "a;", "{ a; }", "do { a; } while (b);", "c;", "f;", "list_for_each(d, e) { f; }",
            "j;", "k;", "{ case h::i: j; default: k; }",
            "switch (g) { case h::i: j; default: k; }"])

    def test_lambdas_have_statements_and_lists_of_values_have_none(self):
        self.assertEqual(statements_in("{ a([&](int b) { if (b) c; return d; }, e{1, {2}}); "
                                       "A f = {.g = [] { h; }}; try { i; } catch (...) { j; } }"), [
            "c;", "if (b) c;", "return d;",
            "a([&](int b) { if (b) c; return d; }, e{1, {2}});", "h;", "A f = {.g = [] { h; }};",
            "i;", "j;", "try { i; } catch (...) { j; }"])

    def test_the_innermost_around_some_tokens(self):
        read = tokens.read("{ if (a()) { b; c(d); } }")
        found = statements.find(read, 0)
        self.assertEqual(read.text(statements.innermost(found, 3, 4).start), "if")
        inner = statements.innermost(found, 12, 13)  # d
        self.assertEqual((read.text(inner.start), inner.in_block), ("c", True))


class Changes(unittest.TestCase):
    TEXT = textwrap.dedent("""\
        namespace n {
        int Ring::take(List list) {
            // the first, not the last
            if (list.empty())
                return none; // nothing there
            const auto image = pick(list[0],
                                    Order{first, 2});
            for (auto& other : list) { use(other); use(image, image); }
            return image;
        }
        constexpr int most = 16;
        void overloaded(int) { one(); }
        void overloaded(long) { two(); }
        }
        void elsewhere() { take(); }
        """)

    def check(self, old: str, new: str, **keys) -> None:
        self.assertIn(old, self.TEXT)
        self.assertEqual(changed(self.TEXT, **keys), self.TEXT.replace(old, new))

    def test_replace_goes_by_tokens(self):
        self.check("list[0],\n                            Order{first", "b, Order{last",
                   function="Ring::take", replace=["list[ 0 ] , Order{first", "b, Order{last"])

    def test_variables(self):
        self.check("pick(list[0],\n                            Order{first, 2})",
                   "Order{first, 2} + f(list[0])", function="Ring::take",
                   replace=["pick($a, $b)", "$b + f($a)"])
        self.check("use(image, image)", "use(image)", function="Ring::take",
                   replace=["use($x, $x)", "use($x)"])

    def test_constants(self):
        self.check("= 16", "= 1", constant="most", replace=["16", "1"])

    def test_remove(self):
        self.check("return none;", "{}", function="Ring::take", remove="none")
        self.check("if (list.empty())\n        return none;", "{}", function="take",
                   remove="list.empty()")
        self.check("use(other);", "{}", function="Ring::take", remove="use(other)")

    def test_insert_before(self):
        self.check("return none;", "{ a(); return none; }", function="Ring::take",
                   insert_before=["none", "a();"])
        self.check("const auto image", "f(list[0]); const auto image", function="Ring::take",
                   insert_before=["pick($first, $order)", "f($first);"])

    def test_start_with(self):
        self.check("if (list.empty())", "return 1; if (list.empty())", function="Ring::take",
                   start_with="return 1;")
        self.check("take(); }", "a(); take(); }", function="elsewhere", start_with="a();")

    def test_a_target_in_one_of_several_overloads(self):
        self.check("two()", "3", function="overloaded", replace=["two()", "3"])

    def fails(self, message: str, **keys) -> None:
        with self.assertRaisesRegex(LabError, message):
            changed(self.TEXT, **keys)

    def test_a_target_that_is_not_there_once(self):
        self.fails(r"function Ring::take has 'gone' 0 times instead of once: a.cpp:2",
                   function="Ring::take", remove="gone")
        self.fails(r"function take has 'use' 2 times instead of once: a.cpp:8, a.cpp:8",
                   function="take", remove="use")
        self.fails("'first, not' 0 times", function="Ring::take", remove="first, not")  # a comment
        self.fails("'use.image, .x,.' 0 times", function="Ring::take", remove="use(image, $x,)")
        self.fails(r"'\(\)' 2 times", function="overloaded", remove="()")

    def test_a_definition_that_is_not_there_once(self):
        self.fails("there is no function Ring::took", function="Ring::took", remove="a")
        self.fails("no function Rings::take; similar names: n::Ring::take", function="Rings::take",
                   remove="a")
        self.fails("there is no constant take", constant="take", replace=["a", "b"])
        self.fails("overloaded is defined 2 times, at a.cpp:12, a.cpp:13", function="overloaded",
                   start_with="a;")
        with self.assertRaisesRegex(LabError, "f is ambiguous; it may be A::f or B::f"):
            changed("void A::f() { a; } void B::f() {}", function="f", remove="a")

    def test_keys_that_do_not_go_together(self):
        for keys, message in (({"remove": "a"}, "0 of the keys function, constant"),
                              ({"function": "f"}, "0 of the keys replace, remove"),
                              ({"function": "f", "remove": "a", "start_with": "b"}, "2 of the"),
                              ({"function": "f", "replace": "a"}, "replace has 1 parts"),
                              ({"function": "f", "remove": ["a", "b"]}, "remove has 2 parts"),
                              ({"constant": "c", "remove": "a"}, "remove needs a function")):
            with self.assertRaisesRegex(LabError, message):
                change.from_keys(keys)

    def test_invalid_patterns_are_an_error(self):
        self.fails("an empty pattern", function="Ring::take", remove="/* none */")
        self.fails("begins or ends with a variable", function="Ring::take", remove="pick $x")
        self.fails(r"\$y is in the replacement, but not in the pattern", function="Ring::take",
                   replace=["pick($x, $z)", "$y"])


class Lists(unittest.TestCase):
    """The mutations of this tree; nothing is built."""

    def check_all(self, mutations: list, apply, check_test) -> None:
        self.assertEqual(len({mutation.name for mutation in mutations}), len(mutations))
        for mutation in mutations:
            with self.subTest(mutation.name):
                apply(mutation)
                check_test(mutation)

    def test_every_mutation_of_the_layer_applies(self):
        sources = listing.layer_sources()
        self.check_all(listing.layer(), lambda mutation: listing.apply(mutation, sources),
                       filters.check_layer)

    def test_every_mutation_of_the_module_applies(self):
        sources = listing.module_sources()
        self.check_all(listing.module(), lambda mutation: listing.apply(mutation, sources),
                       filters.check_module)

    def test_a_failure_names_the_mutation(self):
        with self.assertRaisesRegex(LabError, "mutation 'm': there is no function f"):
            listing.apply(listing.Mutation("m", SOME_CHANGE), Sources([]))

    def test_unknown_keys_are_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mutations.toml"
            path.write_text('[[mutation]]\nname = "m"\nfunction = "f"\nremove = "a"\nnoted_by = 1')
            with self.assertRaisesRegex(LabError, "mutation 'm': .*noted_by"):
                listing.read(path, listing.ModuleMutation)

    def test_some_by_name(self):
        mutations = [listing.Mutation(name, SOME_CHANGE) for name in ("one", "two", "three")]
        self.assertEqual(listing.with_text(mutations, "wo"), [mutations[1]])
        self.assertEqual(listing.with_text(mutations, "e"), [mutations[0], mutations[2]])
        self.assertEqual(listing.with_text(mutations, ""), mutations)
        with self.assertRaisesRegex(LabError, "no mutation has 'nonesuch' in its name"):
            listing.with_text(mutations, "nonesuch")


class Filters(unittest.TestCase):
    TEXT = ("TEST(A, One) {\nTEST_F(B, Two) {\n  TEST_F(B, Indented) {\nTEST_P(C, Three) {\n"
            "TEST_P(D, NoInstance) {\nINSTANTIATE_TEST_SUITE_P(\n    , C, Values(1));\n"
            "INSTANTIATE_TEST_SUITE_P(Of, C,\n    Values(2));\n")

    def test_names(self):
        self.assertEqual(filters.googletest_names(self.TEXT),
                         ["A.One", "B.Two", "C.Three/*", "Of/C.Three/*"])

    def test_patterns(self):
        for pattern, name in (("A.*", "A.One"), ("*O?e", "A.One"), ("C.*/Five", "C.Three/*"),
                              ("*C.Three/5", "Of/C.Three/*"), ("*", "A.One"),
                              ("*Three*", "C.Three/*")):
            self.assertTrue(filters.may_match(pattern, name), pattern)
        for pattern, name in (("A.", "A.One"), ("C.T", "C.Three/*"), ("", "A.One"),
                              ("A.One?", "A.One"), ("*D*", "C.Three")):
            self.assertFalse(filters.may_match(pattern, name), pattern)

    def test_missing_tests_of_the_layer_are_an_error(self):
        with self.tree({"tests/compositor/a_test.cpp": self.TEXT}) as root:
            for test, pattern in (("a", "A.*"), ("a", "A.One:B.*"), ("a", "C.Three/1-Nonesuch.*")):
                filters.check_layer(self.of_layer(test, pattern), root)
            for test, pattern, message in (
                    ("b", "A.*", "no test b: b_test.cpp is missing"),
                    ("a", "A.*:Nonesuch.*", "no test of a_test.cpp matches the filter 'Nonesuch"),
                    ("a", "D.*", "no test of a_test.cpp matches the filter 'D")):
                with self.assertRaisesRegex(LabError, f"mutation 'm': .*{message}"):
                    filters.check_layer(self.of_layer(test, pattern), root)

    def test_the_suite_tells_the_folder_of_the_test(self):
        with self.tree({"tests/driver/a_test.cpp": self.TEXT}) as root:
            filters.check_layer(self.of_layer("a", "A.*", suite="driver"), root)
            for suite in ("compositor", "fences"):
                with self.assertRaisesRegex(LabError, "a_test.cpp is missing"):
                    filters.check_layer(self.of_layer("a", "A.*", suite=suite), root)

    def test_missing_tests_of_the_module_are_an_error(self):
        text = '{ "a.one", one },\n{ "b.two",\n  two },\n/* "c.three" */ "d.four"'
        with self.tree({"tests/kmod/a.c": text}) as root:
            filters.check_module(self.of_module("a.one", "b.two"), root)
            with self.assertRaisesRegex(LabError, "'m': there is no test c.three, d.four$"):
                filters.check_module(self.of_module("a.one", "c.three", "d.four"), root)

    @staticmethod
    def of_layer(test: str, pattern: str, suite: str = "compositor") -> listing.LayerMutation:
        return listing.LayerMutation("m", SOME_CHANGE, suite, test, pattern)

    @staticmethod
    def of_module(*tests: str) -> listing.ModuleMutation:
        return listing.ModuleMutation("m", SOME_CHANGE, tests)

    @staticmethod
    @contextlib.contextmanager
    def tree(files: dict[str, str]) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            yield Path(folder)


if __name__ == "__main__":
    unittest.main()
