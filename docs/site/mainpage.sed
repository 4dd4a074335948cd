# What the header says of itself is the main page.
2s|^ \* @file$| * @mainpage modelkeep.h\n *|
