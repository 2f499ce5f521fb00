//! The party behind HER-id 109989: answers and starts communication tests as an ordinary client of the network.
