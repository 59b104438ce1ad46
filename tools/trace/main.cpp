// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "arguments.hpp"
#include "decode.hpp"
#include "follow.hpp"
#include "frames.hpp"
#include "page.hpp"
#include "report.hpp"
#include "trace_file.hpp"

namespace fencebridge::trace {
namespace {

int fail(const std::string& why) {
    std::fprintf(stderr, "fencebridge-trace: %s\n", why.c_str());
    return 1;
}

bool write_all(const std::string& path, const char* mode, const std::string& text) {
    std::FILE* const file = std::fopen(path.c_str(), mode);
    if (file == nullptr)
        return false;
    const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    return std::fclose(file) == 0 && written;
}

/// Replaces a file, and does not truncate it: the file could be a trace that an application is
/// writing to by a mapping, and SIGBUS would end the application. Devices and pipes are written to.
bool write_page(const std::string& path, const std::string& text) {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::exists(status) && !fs::is_regular_file(status))
        return write_all(path, "we", text);
    // Of a symbolic link, such as /dev/stdout, the target is replaced.
    const fs::path resolved = fs::weakly_canonical(path, error);
    const std::string target = error ? path : resolved.string();
    const std::string page = target + ".new";
    std::remove(page.c_str());
    if (write_all(page, "wxe", text) && std::rename(page.c_str(), target.c_str()) == 0)
        return true;
    const int why = errno;
    std::remove(page.c_str());
    errno = why;
    return false;
}

int run(const Arguments& arguments) {
    const auto file = TraceFile::open(arguments.file);
    if (!file)
        return fail(file.error());
    if (arguments.action == Arguments::Action::follow) {
        const auto followed = follow(*file);
        return followed ? 0 : fail(arguments.file + ": " + followed.error());
    }
    const auto bytes = file->read();
    if (!bytes)
        return fail(bytes.error());
    const auto trace = decode(*bytes);
    if (!trace)
        return fail(arguments.file + ": " + trace.error());
    const Frames frames = find_frames(*trace);
    if (arguments.action == Arguments::Action::html) {
        if (write_page(arguments.html, page(*trace, frames)))
            return 0;
        return fail(arguments.html + ": " + std::generic_category().message(errno));
    }
    const std::string text = report(*trace, frames, arguments.frames);
    return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}

} // namespace
} // namespace fencebridge::trace

int main(int count, char** words) {
    using namespace fencebridge::trace;
    const auto arguments =
        read_arguments(std::span(words + 1, static_cast<size_t>(count > 0 ? count - 1 : 0)));
    if (!arguments) {
        std::fprintf(stderr, "fencebridge-trace: %s\nTry fencebridge-trace --help\n",
                     arguments.error().c_str());
        return 2;
    }
    if (arguments->action == Arguments::Action::help)
        return std::fputs(usage, stdout) < 0 ? 1 : 0;
    if (arguments->action == Arguments::Action::version)
        return std::puts("fencebridge-trace " VERSION) < 0 ? 1 : 0;
    try {
        return run(*arguments);
    } catch (const std::exception& failure) {
        return fail(failure.what());
    }
}
