#include <cstdio>
#include <exception>

#include "apps/command_line.hpp"

int main(int argc, char** argv) {
    try {
        return apps::run_command_line(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "hokusai: %s\n", error.what());
        return 1;
    }
}
