/*
 * The text of the Varlink interface io.holdfast.Control, made from the file that is shipped, so that what the
 * daemon serves to GetInterfaceDescription and what the tree documents cannot differ.
 */
#pragma once

/* The whole of src/main/io.holdfast.Control.varlink, with its comments, ended by NUL. Constant; any thread. */
extern const char interface_text[];
