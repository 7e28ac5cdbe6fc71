#include "cli/app.h"

int main(int argc, char** argv) { return isochron::cli::Main(argc, argv); }
