# Turns the text of io.holdfast.Control.varlink into the C string that the daemon serves.
BEGIN {
	print "/* Generated from io.holdfast.Control.varlink; edit that. */"
	print "#include \"main/interface.h\""
	print ""
	print "const char interface_text[] ="
}
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\\&")
	gsub(/\t/, "\\t")
	print "\t\"" $0 "\\n\""
}
END {
	print "\t;"
}
