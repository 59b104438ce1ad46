// SPDX-License-Identifier: MIT
#include "info/page.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace fencebridge::info {
namespace {

TEST(InfoPage, ATextContinuesBelowItself) {
    Page page(false);
    page.row("label", "one two three four five six seven eight nine ten eleven twelve thirteen");
    EXPECT_EQ(page.text(),
              "  label               one two three four five six seven eight nine ten eleven\n"
              "                      twelve thirteen\n");
}

TEST(InfoPage, ALongLabelHasALineOfItsOwn) {
    Page page(false);
    page.row("/dev/dma_heap/default_cma_region", "yes");
    EXPECT_EQ(page.text(), "  /dev/dma_heap/default_cma_region\n                      yes\n");
}

TEST(InfoPage, NoLineIsLongerThanThePage) {
    Page page(false);
    page.row("label", std::string(300, 'x'));
    page.item("*", "short " + std::string(77, 'y') + " short");
    std::istringstream lines(page.text());
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), Page::width) << line;
}

TEST(InfoPage, ALongPathIsNotCut) {
    const std::string path = "/" + std::string(70, 'x');
    Page page(false);
    page.row("label", "see " + path + " for more");
    EXPECT_EQ(page.text(),
              "  label               see\n    " + path + "\n                      for more\n");
}

TEST(InfoPage, ALongPathWithoutALabelLeavesNoEmptyLine) {
    const std::string path = "/" + std::string(70, 'x');
    Page page(false);
    page.row("label", "one");
    page.row("", path);
    EXPECT_EQ(page.text(), "  label               one\n    " + path + "\n");
}

TEST(InfoPage, CharactersAreCountedAndNotBytes) {
    std::string word;
    for (size_t i = 0; i < Page::width - Page::text_column; ++i)
        word += "é";
    Page page(false);
    page.row("label", word);
    EXPECT_EQ(page.text(), "  label               " + word + "\n");
}

TEST(InfoPage, ControlCharactersDoNotReachTheTerminal) {
    Page page(true);
    page.row("name", "a\x1b[2J\nb\x7f");
    EXPECT_EQ(page.text(), "  name                a?[2J?b?\n");
}

TEST(InfoPage, ColoursEndWithTheLine) {
    Page page(true);
    page.row("label", "fine", Colour::good);
    EXPECT_EQ(page.text(), "  label               \x1b[32mfine\x1b[0m\n");
    Page plain(false);
    plain.row("label", "fine", Colour::good);
    EXPECT_EQ(plain.text(), "  label               fine\n");
}

TEST(InfoPage, TitlesAreApart) {
    Page page(false);
    page.title("One");
    page.title("Two");
    EXPECT_EQ(page.text(), "One\n\nTwo\n");
}

} // namespace
} // namespace fencebridge::info
